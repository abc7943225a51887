// configurator: inventory
// Everything a plan must know of the controller, in one answer. Only reads; no secret leaves in clear.
import groovy.json.JsonOutput
import groovy.json.JsonSlurper
import hudson.model.Item
import hudson.model.ItemGroup
import hudson.model.Job
import hudson.model.User
import hudson.model.ViewGroup
import hudson.util.Secret
import java.util.regex.Pattern
import javax.crypto.Mac
import javax.crypto.spec.SecretKeySpec
import jenkins.model.Jenkins
import org.kohsuke.stapler.Stapler

def request
try {
    request = Stapler.getCurrentRequest2()
} catch (MissingMethodException ignored) { // controllers before the move to Jakarta EE
    request = Stapler.getCurrentRequest()
}
def payload = new JsonSlurper().parseText(request.getParameter('payload'))
def controller = Jenkins.get()

// ---- helpers

def mac = Mac.getInstance('HmacSHA256')
mac.init(new SecretKeySpec(payload.salt.decodeHex(), 'HmacSHA256'))
def digest = { String text -> mac.doFinal(text.getBytes('UTF-8')).encodeHex().toString() }

// Classes of plugins that may be absent: naming one in the source would keep the script from compiling.
def pluginClass = { String name ->
    try {
        controller.pluginManager.uberClassLoader.loadClass(name)
    } catch (ClassNotFoundException | LinkageError ignored) {
        null
    }
}

def mark = 'Managed by configurator (' + payload.owner + ')'
def isOurs = { String description -> description != null && description.contains(mark) }
def wantedItems = (payload.items ?: []) as Set
def wantedViews = (payload.views ?: []) as Set

// `<NAME …>content</NAME>`, not `<NAME/>`: the content must not begin behind a self-closed element.
def element = { String name ->
    def quoted = Pattern.quote(name)
    Pattern.compile('(?s)(<' + quoted + '(?:\\s[^>]*)?(?<!/)>)(.*?)(</' + quoted + '\\s*>)')
}
def trigger = element('com.dabsquared.gitlabjenkins.GitLabPushTrigger')
def token = element('secretToken')

// Only the GitLab trigger's token is replaced: the rest of the file is what a later update writes back.
def maskToken = { String content ->
    def text = content.trim()
    if (text.isEmpty()) {
        return content
    }
    if (!(text ==~ /\{AQA[A-Za-z0-9+\/=]+\}/)) {
        return '@@configurator:in-clear@@'
    }
    def secret = Secret.decrypt(text)
    secret == null ? content : '{digest:' + digest(secret.plainText) + '}'
}
def maskTrigger = { String content ->
    content.replaceAll(token) { whole, open, value, close -> open + maskToken(value) + close }
}
def mask = { String xml ->
    xml.replaceAll(trigger) { whole, open, content, close -> open + maskTrigger(content) + close }
}

// ---- items

def folderClass = pluginClass('com.cloudbees.hudson.plugins.folder.Folder')
def items = controller.getAllItems(Item)
def describe = { object -> object.hasProperty('description') ? object.description : null }

def itemAnswer = { Item item, String description ->
    def answer = [name: item.fullName, class: item.getClass().name, description: description]
    if (item instanceof ViewGroup && item instanceof ItemGroup) {
        answer.children = item.items.collect { child -> child.fullName }
    }
    if (folderClass == null || !folderClass.isInstance(item)) {
        answer.disabled = item.hasProperty('disabled') ? item.disabled : null
        answer.builds = item instanceof Job ? item.nextBuildNumber - 1 : null
        try {
            answer.xml = mask(item.configFile.asString())
        } catch (IOException e) { // one damaged file must not hide the others
            answer.xml = null
            answer.error = e.getClass().simpleName + ': config.xml can not be read'
        }
    }
    answer
}

def itemAnswers = []
items.each { item ->
    def description = describe(item)
    if (wantedItems.contains(item.fullName) || isOurs(description)) {
        itemAnswers << itemAnswer(item, description)
    }
}

// ---- views

def viewAnswers = []
([controller] + items.findAll { item -> item instanceof ViewGroup }).each { group ->
    def prefix = group.is(controller) ? '' : group.fullName + '/'
    group.views.each { view ->
        def name = prefix + view.viewName
        if (wantedViews.contains(name) || isOurs(view.description)) {
            def xml = new ByteArrayOutputStream()
            view.writeXml(xml)
            viewAnswers << [name: name, class: view.getClass().name, description: view.description,
                            xml: xml.toString('UTF-8')]
        }
    }
}

// ---- credentials

// The secret text of the four classes that a spec can ask for. Others are listed and not looked into:
// getters of credentials kept elsewhere (Vault, GitHub App, AWS …) go over the network.
// What is digested is the UTF-8 of the text as it is; of a private key, after CR LF → LF and without the
// white space [ \t\n\x0B\f\r] at its end. Its passphrase has a digest of its own, or null where it has none.
def secretText = [
    'com.dabsquared.gitlabjenkins.connection.GitLabApiTokenImpl': { it.apiToken?.plainText },
    'org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl': { it.secret?.plainText },
    'com.cloudbees.plugins.credentials.impl.UsernamePasswordCredentialsImpl': { it.password?.plainText },
    'com.cloudbees.jenkins.plugins.sshcredentials.impl.BasicSSHUserPrivateKey': {
        def text = it.privateKeySource.privateKeys.join('\f') // the source splits its text at form feeds
        text.replace('\r\n', '\n').replaceAll(/[ \t\n\x0B\f\r]+\z/, '')
    },
]
def passphrase = { credential ->
    credential.hasProperty('passphrase') ? credential.passphrase?.plainText : null
}
def wantedDigests = payload.credentials == null ? null : payload.credentials as Set

def credentialAnswer = { String folder, String domain, credential ->
    def reader = secretText[credential.getClass().name]
    def answer = [folder: folder, domain: domain, id: credential.id, class: credential.getClass().name,
                  description: describe(credential), scope: credential.scope?.name(),
                  username: null, digest: null, passphrase: null]
    if (reader != null) {
        answer.username = credential.hasProperty('username') ? credential.username : null
        if (wantedDigests == null || wantedDigests.contains(credential.id)) {
            def text = reader(credential)
            answer.digest = text == null ? null : digest(text)
            def extra = passphrase(credential)
            answer.passphrase = extra ? digest(extra) : null
        }
    }
    answer
}

def credentialAnswers = []
def addStore = { String folder, store -> // the credentials of one store: a map from each domain to its list
    store.getDomainCredentialsMap().each { domain, credentials ->
        credentials.findAll { credential -> credential.hasProperty('id') }.each { credential ->
            credentialAnswers << credentialAnswer(folder, domain.name, credential)
        }
    }
}

def systemStore = pluginClass('com.cloudbees.plugins.credentials.SystemCredentialsProvider')
if (systemStore != null) {
    addStore(null, systemStore.getInstance())
}
def abstractFolder = pluginClass('com.cloudbees.hudson.plugins.folder.AbstractFolder')
def folderStore = pluginClass(
    'com.cloudbees.hudson.plugins.folder.properties.FolderCredentialsProvider$FolderCredentialsProperty')
if (abstractFolder != null && folderStore != null) {
    items.findAll { item -> abstractFolder.isInstance(item) }.each { folder ->
        def store = folder.getProperties().get(folderStore)
        if (store != null) {
            addStore(folder.fullName, store)
        }
    }
}

// ---- connections

def configClass = pluginClass('com.dabsquared.gitlabjenkins.connection.GitLabConnectionConfig')
def config = configClass == null ? null : controller.getDescriptorByType(configClass)
def connections = config?.connections?.collect { c ->
    [name: c.name, url: c.url, credential: c.apiTokenId, client: c.clientBuilderId,
     ignore_certificate_errors: c.ignoreCertificateErrors, connection_timeout: c.connectionTimeout,
     read_timeout: c.readTimeout]
}

// ---- answer

print 'configurator:' + payload.nonce + '\n' + JsonOutput.toJson([
    version: controller.VERSION,
    root_url: controller.rootUrl,
    user: User.current()?.id,
    plugins: controller.pluginManager.plugins.collect { plugin ->
        [id: plugin.shortName, version: plugin.version, active: plugin.active]
    },
    items: itemAnswers,
    views: viewAnswers,
    credentials: credentialAnswers,
    connections: connections,
    authenticated_endpoint: config?.useAuthenticatedEndpoint,
])
