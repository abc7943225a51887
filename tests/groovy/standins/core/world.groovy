package standin

import hudson.XmlFile
import hudson.model.AbstractItem
import hudson.model.User
import hudson.util.Secret
import jenkins.model.Jenkins
import jenkins.model.PluginManager
import jenkins.model.PluginWrapper
import org.kohsuke.stapler.Stapler

/** Fills the stand-in controller from plain data, and gives back what a script changed. */
class World {
    private final ClassLoader loader

    World(ClassLoader loader) { this.loader = loader }

    /** An object of a class by its name; `(secret)NAME` sets the property NAME to a Secret. */
    Object make(Map data) {
        def object = loader.loadClass(data.class).newInstance()
        data.findAll { key, value -> key != 'class' }.each { String key, value ->
            if (key.startsWith('(secret)')) {
                object[key - '(secret)'] = value == null ? null : Secret.fromString(value)
            } else {
                object[key] = value
            }
        }
        object
    }

    /** The text with every `(encrypted:TEXT)` replaced by ciphertext. */
    static String encrypted(String xml) {
        xml?.replaceAll(/\(encrypted:([^)]*)\)/) { all, text -> Secret.fromString(text).encryptedValue }
    }

    void build(Map world, String payload) {
        Stapler.parameters = [payload: encrypted(payload)]
        Jenkins.VERSION = '2.524'
        def jenkins = Jenkins.get()
        jenkins.rootUrl = 'https://jenkins.example.com/'
        jenkins.rootDir = home(world.home ?: [])
        User.user = world.user == null ? null : new User(id: world.user)
        jenkins.pluginManager = new PluginManager(
            uberClassLoader: loader, plugins: (world.plugins ?: []).collect { new PluginWrapper(it) })
        jenkins.views = (world.views ?: []).collect { make(it) }
        (world.items ?: []).each { addItem(jenkins, it) }
        if (world.credentials != null) {
            def provider = loader.loadClass('com.cloudbees.plugins.credentials.SystemCredentialsProvider')
            provider.getInstance().domainCredentialsMap = domains(world.credentials)
        }
        if (world.connections != null) {
            def type = loader.loadClass('com.dabsquared.gitlabjenkins.connection.GitLabConnectionConfig')
            def connection = loader.loadClass('com.dabsquared.gitlabjenkins.connection.GitLabConnection')
            def config = type.newInstance()
            config.setConnections(world.connections.collect { connection.newInstance(it as Object[]) })
            if (world.authenticated_endpoint != null) {
                config.useAuthenticatedEndpoint = world.authenticated_endpoint
            }
            jenkins.effects.clear() // what is there already was not done by the script
            jenkins.descriptors[type] = config
        }
    }

    /** A home with these files in it, paths below its folder `jobs`. */
    private static File home(List<String> files) {
        def root = File.createTempDir()
        files.each {
            def file = new File(root, 'jobs/' + it)
            file.parentFile.mkdirs()
            file.text = ''
        }
        root.addShutdownHook { root.deleteDir() }
        root
    }

    private void addItem(Jenkins jenkins, Map data) {
        def plain = data.findAll { key, value -> !(key in ['disk', 'live', 'views', 'credentials', 'triggers']) }
        def item = make(plain)
        if (item instanceof AbstractItem) {
            item.configFile = new XmlFile(name: item.fullName, text: encrypted(data.disk))
            item.live = encrypted(data.live)
        }
        if (data.views != null) {
            item.views = data.views.collect { make(it) }
        }
        if (data.triggers != null) {
            item.triggers = data.triggers.collectEntries { [(new Object()): makeTrigger(it)] }
        }
        if (data.credentials != null) {
            def provider = 'com.cloudbees.hudson.plugins.folder.properties.FolderCredentialsProvider'
            item.addProperty(loader.loadClass(provider).newStore(domains(data.credentials)))
        }
        jenkins.all[item.fullName] = item
    }

    /** A value that is a mapping with a class is an object, too. */
    private Object makeTrigger(Map data) {
        make(data.collectEntries { key, value -> [(key): value instanceof Map ? make(value) : value] })
    }

    /** `{"": [credential, …], "DOMAIN": […]}`; the empty name is the global domain. */
    private Map domains(Map data) {
        def domain = loader.loadClass('com.cloudbees.plugins.credentials.domains.Domain')
        data.collectEntries { name, list ->
            [(domain.newInstance([name ?: null] as Object[])): list.collect { make(it) }]
        }
    }
}
