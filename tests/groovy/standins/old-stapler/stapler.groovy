package org.kohsuke.stapler

class StaplerRequest {
    String getParameter(String name) { Stapler.parameters[name] }
}

/** As before the move to Jakarta EE. */
class Stapler {
    static Map<String, String> parameters = [:]

    static StaplerRequest getCurrentRequest() { new StaplerRequest() }
}
