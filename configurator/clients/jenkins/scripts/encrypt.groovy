// configurator: encrypt
// Ciphertext made by the controller itself, so that the XML that is posted and stored holds no clear secret.
import groovy.json.JsonOutput
import groovy.json.JsonSlurper
import hudson.util.Secret
import org.kohsuke.stapler.Stapler

def request
try {
    request = Stapler.getCurrentRequest2()
} catch (MissingMethodException ignored) { // controllers before the move to Jakarta EE
    request = Stapler.getCurrentRequest()
}
def payload = new JsonSlurper().parseText(request.getParameter('payload'))

// A value that is ciphertext of this controller already stands for its plain text (and is encrypted anew).
print 'configurator:' + payload.nonce + '\n' + JsonOutput.toJson([
    values: payload['values'].collect { value -> Secret.fromString(value).encryptedValue },
])
