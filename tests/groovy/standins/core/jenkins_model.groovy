package jenkins.model

import hudson.model.Action
import hudson.model.Item
import hudson.model.ItemGroup
import hudson.model.Job
import hudson.model.ViewGroup

/** The controller. One case runs in one class loader, so the singleton lives for one case. */
class Jenkins implements ItemGroup, ViewGroup {
    static final Jenkins INSTANCE = new Jenkins()
    static String VERSION

    String rootUrl
    File rootDir
    PluginManager pluginManager
    Collection views = []
    Map<String, Item> all = [:]
    Map<Class, Object> descriptors = [:]
    /** What the script did beside answering. */
    List<String> effects = []

    static Jenkins get() { INSTANCE }

    String getFullName() { '' }

    Collection getItems() { all.values().findAll { !it.fullName.contains('/') } }

    List getAllItems(Class type) { all.values().findAll { type.isInstance(it) }.toList() }

    Item getItemByFullName(String name) { all[name] }

    Object getDescriptorByType(Class type) { descriptors[type] }
}

class PluginManager {
    ClassLoader uberClassLoader
    List plugins
}

class PluginWrapper {
    String shortName
    String version
    boolean active
}

/** Overloads as in Jenkins: they decide which method Groovy picks. */
abstract class ParameterizedJobMixIn {
    static Object scheduleBuild2(Job job, int quietPeriod, Action... actions) {
        if (job.fullName.contains('explode')) {
            throw new IllegalStateException('first line\nsecond line')
        }
        if (job.fullName.contains('refused')) {
            return null
        }
        def kinds = actions.collect { it.causes*.class*.simpleName }
        Jenkins.get().effects << "queue ${job.fullName} ${quietPeriod} ${kinds}".toString()
        new Object()
    }

    final Object scheduleBuild2(int quietPeriod, Action... all) { throw new AssertionError('not this one') }

    Object scheduleBuild2(int quietPeriod, List<Action> actions) { throw new AssertionError('not this one') }

    interface ParameterizedJob {
        boolean isDisabled()

        Map getTriggers()
    }
}
