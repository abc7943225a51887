// configurator: connection
// Changes GitLab connections among the others, by name, and whether the plugin's endpoint asks who calls.
// There is no REST for it, and the connections can only be set as a whole: what is not ours is put back.
import groovy.json.JsonOutput
import groovy.json.JsonSlurper
import jenkins.model.Jenkins
import org.kohsuke.stapler.Stapler

def request
try {
    request = Stapler.getCurrentRequest2()
} catch (MissingMethodException ignored) { // controllers before the move to Jakarta EE
    request = Stapler.getCurrentRequest()
}
def payload = new JsonSlurper().parseText(request.getParameter('payload'))

// ---- helpers

// Classes of a plugin that may be absent: naming one in the source would keep the script from compiling.
def pluginClass = { String name ->
    try {
        Jenkins.get().pluginManager.uberClassLoader.loadClass(name)
    } catch (ClassNotFoundException | LinkageError ignored) {
        null
    }
}
def configClass = pluginClass('com.dabsquared.gitlabjenkins.connection.GitLabConnectionConfig')
def connectionClass = pluginClass('com.dabsquared.gitlabjenkins.connection.GitLabConnection')

def describe = { c ->
    [name: c.name, url: c.url, credential: c.apiTokenId, client: c.clientBuilderId,
     ignore_certificate_errors: c.ignoreCertificateErrors, connection_timeout: c.connectionTimeout,
     read_timeout: c.readTimeout]
}
def matches = { connection, wanted -> describe(connection).every { key, value -> value == wanted[key] } }
def build = { wanted ->
    connectionClass.newInstance(wanted.name, wanted.url, wanted.credential, wanted.client,
        wanted.ignore_certificate_errors as boolean, wanted.connection_timeout as Integer,
        wanted.read_timeout as Integer)
}

// ---- change

def config = configClass == null ? null : Jenkins.get().getDescriptorByType(configClass)
if (config != null) {
    synchronized (config) { // another run may be changing its own entries this very moment
        def upsert = (payload.upsert ?: []).collectEntries { wanted -> [(wanted.name): wanted] }
        def delete = (payload.delete ?: []).findAll { name -> !upsert.containsKey(name) } as Set
        def before = config.connections.collectEntries { connection -> [(connection.name): connection] }

        def differs = { name, wanted -> !before.containsKey(name) || !matches(before[name], wanted) }
        def changed = false
        if (upsert.any(differs) || delete.any { name -> before.containsKey(name) }) {
            // A stock controller holds one connection without a name: it goes with the first change.
            def left = config.connections.findAll { it.name && !delete.contains(it.name) }
            def kept = left.collect { connection ->
                def wanted = upsert[connection.name]
                wanted == null ? connection : build(wanted)
            }
            def added = upsert.values().findAll { wanted -> !before.containsKey(wanted.name) }.collect(build)
            config.setConnections(kept + added)
            changed = true
        }
        // Left out of the payload it is not ours to change.
        def authenticated = payload.authenticated_endpoint
        if (authenticated != null && config.useAuthenticatedEndpoint != authenticated) {
            config.useAuthenticatedEndpoint = authenticated as boolean
            changed = true
        }
        if (changed) {
            config.save()
        }
    }
}

// Without the plugin there is nothing to change and nothing to list.
print 'configurator:' + payload.nonce + '\n' + JsonOutput.toJson([
    connections: config == null ? null : config.connections.collect(describe),
    authenticated_endpoint: config?.useAuthenticatedEndpoint,
])
