// configurator: jobs
// Every item as far as webhooks are concerned. Only memory is read, and names on the disk: no file, no build.
import groovy.json.JsonOutput
import groovy.json.JsonSlurper
import hudson.model.AbstractItem
import hudson.model.ItemGroup
import hudson.model.Job
import hudson.util.Secret
import java.lang.reflect.Modifier
import javax.crypto.Mac
import javax.crypto.spec.SecretKeySpec
import jenkins.model.Jenkins
import jenkins.model.ParameterizedJobMixIn
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
def triggerClass = pluginClass('com.dabsquared.gitlabjenkins.GitLabPushTrigger')
def folderClass = pluginClass('com.cloudbees.hudson.plugins.folder.Folder')

// ---- a trigger

// What a save would write beside the token, from the fields themselves: getters may compute or translate.
def savedFields = { Class type ->
    def saved = type.declaredFields.findAll { field ->
        def unsaved = field.synthetic || (field.modifiers & (Modifier.STATIC | Modifier.TRANSIENT)) != 0
        !unsaved && field.name != 'secretToken'
    }
    saved.each { field -> field.accessible = true }
}.memoize()

// Texts, numbers, flags and choices by name; those of an object within as `object.name`. Never a Secret.
def addTexts
addTexts = { Map texts, String prefix, Class type, Object object ->
    savedFields(type).each { field ->
        def name = prefix + field.name
        def value = field.get(object)
        if (value instanceof Enum) {
            texts[name] = value.name()
        } else if (value instanceof CharSequence || value instanceof Boolean || value instanceof Number) {
            texts[name] = value.toString()
        } else if (value != null && value.getClass().name.startsWith('com.dabsquared.')) {
            addTexts(texts, name + '.', value.getClass(), value)
        }
    }
    texts
}
def tokenDigest = { Object trigger ->
    def token = trigger.secretToken
    def text = token instanceof Secret ? token.plainText : token
    text ? digest(text) : null
}
def triggerOf = { Object item ->
    def triggers = item instanceof ParameterizedJobMixIn.ParameterizedJob ? item.triggers.values() : []
    triggerClass == null ? null : triggers.find { trigger -> triggerClass.isInstance(trigger) }
}

// ---- items

def markOf = { String description ->
    def text = (description ?: '').trim()
    def last = text.substring(text.lastIndexOf('\n') + 1).trim()
    last.contains('Managed by configurator') ? last : null
}
def isPlainFolder = { item -> folderClass != null && folderClass.isInstance(item) }

def itemAnswer = { item ->
    def answer = [name: item.fullName, class: item.getClass().name, mark: null, disabled: null]
    try {
        answer.mark = item instanceof AbstractItem ? markOf(item.description) : null
        answer.disabled = !isPlainFolder(item) && item.hasProperty('disabled') ? item.disabled : null
        def trigger = triggerOf(item)
        if (trigger != null) {
            answer.trigger = addTexts([:], '', triggerClass, trigger)
            answer.token = tokenDigest(trigger)
        }
    } catch (Throwable e) { // one damaged job must not hide the others
        answer.remove('trigger')
        answer.error = e.getClass().simpleName
    }
    answer
}

// What stands on the disk and is not in memory, since its plugin is missing or its config.xml is damaged.
// It is there all the same. Computed folders name theirs otherwise, and make them again.
def unloadedIn = { group, found ->
    if (!isPlainFolder(group) && !group.is(controller)) {
        return []
    }
    def folder = new File(group.rootDir, 'jobs')
    def key = { String name -> name.substring(name.lastIndexOf('/') + 1).toLowerCase(Locale.ENGLISH) }
    def loaded = found.collect { item -> key(item.fullName) } as Set
    def others = (folder.list() ?: []).findAll { name -> !loaded.contains(key(name)) }
    others = others.findAll { name -> new File(new File(folder, name), 'config.xml').isFile() }
    others.collect { name -> group.fullName ? group.fullName + '/' + name : name }
}

def itemAnswers = []
def unlisted = []
def unloaded = []
def addItems
addItems = { group ->
    def found = []
    try {
        found = group.items
        unloaded.addAll(unloadedIn(group, found))
    } catch (Throwable ignored) { // what is in there is unknown, which is not the same as absent
        unlisted << group.fullName
    }
    found.each { item ->
        itemAnswers << itemAnswer(item)
        // The parts of a job (configurations, modules) are no endpoints of their own.
        if (item instanceof ItemGroup && !(item instanceof Job)) {
            addItems(item)
        }
    }
}
addItems(controller)

def answer = [items: itemAnswers, unlisted: unlisted, unloaded: unloaded]
print 'configurator:' + payload.nonce + '\n' + JsonOutput.toJson(answer)
