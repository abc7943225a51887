package hudson

import jenkins.model.Jenkins

/** A config.xml; who reads it is seen. */
class XmlFile {
    String name
    String text

    String asString() {
        Jenkins.get().effects << "read ${name}".toString()
        if (text == null) {
            throw new FileNotFoundException("/var/jenkins/${name}")
        }
        text
    }
}
