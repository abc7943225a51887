// configurator: compare
// Which of the wanted jobs differ from the live ones? The controller writes both in its own words, so that
// what a save adds or reorders is no difference. Parsing makes an object, nothing else: no save, no onLoad.
import groovy.json.JsonOutput
import groovy.json.JsonSlurper
import hudson.model.Items
import hudson.util.Secret
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

// ---- helpers

def mac = Mac.getInstance('HmacSHA256')
mac.init(new SecretKeySpec(payload.salt.decodeHex(), 'HmacSHA256'))
def digest = { String text -> mac.doFinal(text.getBytes('UTF-8')).encodeHex().toString() }

// The same secret is another ciphertext each time it is written. What can't be decrypted stays.
def digestSecrets = { String xml ->
    xml.replaceAll(/\{AQA[A-Za-z0-9+\/=]+\}/) { String found ->
        def secret = Secret.decrypt(found)
        secret == null ? found : '{digest:' + digest(secret.plainText) + '}'
    }
}

// The root's <actions> are run-time state; only the root's children are indented by exactly two spaces.
def withoutActions = { String xml ->
    def empty = /\n {2}<actions(?: [^>]*)?\/>/
    def filled = /\n {2}<actions(?: [^>]*)?>.*?\n {2}<\/actions>/
    xml.replaceAll('(?s)' + empty + '|' + filled, '')
}

def normalise = { Object job ->
    digestSecrets(withoutActions(Items.XSTREAM2.toXML(job))).replaceAll(/ plugin="[^"]*"/, '')
}

// One line for people. The parser quotes the text around the spot, maybe a token: only the place is kept.
def explain = { Throwable e ->
    def message = (e.message ?: '')
        .replaceAll(/(?s)\(position:.*@(\d+):(\d+).*/, 'at line $1, column $2')
        .replaceAll(/(?s)\(position:.*/, '')
    def line = message.readLines().find { text -> !text.trim().isEmpty() } ?: ''
    (e.getClass().simpleName + ': ' + line.trim().replaceAll(/^: /, '')).replaceAll(/: $/, '')
}

// ---- comparison

def compare = { String name, String xml ->
    try {
        def item = Jenkins.get().getItemByFullName(name)
        if (item == null) {
            return [name: name, missing: true]
        }
        def wanted = normalise(Items.XSTREAM2.fromXML(xml))
        def live = normalise(item)
        wanted == live ? [name: name, equal: true] : [name: name, wanted: wanted, live: live]
    } catch (Throwable e) { // a missing class is an Error; one bad job must not hide the others
        [name: name, error: explain(e)]
    }
}

print 'configurator:' + payload.nonce + '\n' + JsonOutput.toJson([
    results: payload.jobs.collect { job -> compare(job.name, job.xml) },
])
