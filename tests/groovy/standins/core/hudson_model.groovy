package hudson.model

import hudson.XmlFile
import hudson.util.XStream2
import jenkins.model.ParameterizedJobMixIn

interface Item {
    String getFullName()
}

interface ItemGroup {
    Collection getItems()
}

interface ViewGroup {
    Collection getViews()
}

abstract class AbstractItem implements Item {
    String fullName
    String description
    XmlFile configFile
    /** The item in memory, as XML that the stand-in for XStream can write. */
    String live
}

abstract class Job extends AbstractItem {
    int nextBuildNumber = 1
    boolean buildable = true
    boolean inQueue
}

class FreeStyleProject extends Job implements ParameterizedJobMixIn.ParameterizedJob {
    boolean disabled
    Map triggers = [:]
}

/** A job that holds items, which are its own parts. */
class MatrixProject extends FreeStyleProject implements ItemGroup {
    Collection getItems() { throw new AssertionError('the parts of a job are nobody\'s business') }
}

class DamagedProject extends FreeStyleProject {
    Map getTriggers() { throw new NoClassDefFoundError('org/example/Gone') }
}

/** A job that can neither be disabled nor started. */
class ExternalJob extends Job {
}

/** An item that has no description at all. */
class PlainItem implements Item {
    String fullName
}

class View {
    String viewName
    String description
    String xml

    void writeXml(OutputStream out) { out.write(xml.getBytes('UTF-8')) }
}

class ListView extends View {
}

class User {
    static User user
    String id

    static User current() { user }
}

interface Action {
}

abstract class Cause {
    static class UserIdCause extends Cause {
    }
}

class CauseAction implements Action {
    List<Cause> causes

    CauseAction(Cause cause) { causes = [cause] }

    CauseAction(Cause... several) { causes = several.toList() }
}

class Items {
    static final XStream2 XSTREAM2 = new XStream2()
}
