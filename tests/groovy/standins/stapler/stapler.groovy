package org.kohsuke.stapler

class StaplerRequest2 {
    String getParameter(String name) { Stapler.parameters[name] }
}

/** As since the move to Jakarta EE: the old method is there, and must not be needed. */
class Stapler {
    static Map<String, String> parameters = [:]

    static StaplerRequest2 getCurrentRequest2() { new StaplerRequest2() }

    static Object getCurrentRequest() { throw new AssertionError('deprecated') }
}
