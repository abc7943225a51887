// configurator: build
// Queues the first build of each job with the default values of its parameters.
import groovy.json.JsonOutput
import groovy.json.JsonSlurper
import hudson.model.Cause
import hudson.model.CauseAction
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

// ---- helpers

// What keeps the job from being built, or null.
def obstacle = { job ->
    if (job == null) {
        return 'there is no such job'
    }
    if (!(job instanceof ParameterizedJobMixIn.ParameterizedJob)) {
        return 'a ' + job.getClass().simpleName + ' can not be built'
    }
    if (job.isDisabled()) {
        return 'the job is disabled'
    }
    job.isBuildable() ? null : 'the job can not be built now'
}

// Asked again after a lost answer, a job that has its first build, or waits for it, is left as it is.
def begun = { job -> job.nextBuildNumber > 1 || job.isInQueue() }

def build = { String name ->
    try {
        def job = Jenkins.get().getItemByFullName(name)
        def error = obstacle(job)
        if (error == null && !begun(job)) {
            // Without a ParametersAction Jenkins adds the default values; -1: the job's own quiet period.
            def cause = new CauseAction(new Cause.UserIdCause())
            def queued = ParameterizedJobMixIn.scheduleBuild2(job, -1, cause)
            error = queued == null ? 'Jenkins refused to queue it' : null
        }
        error == null ? [name: name, queued: true] : [name: name, error: error]
    } catch (Throwable e) { // one bad job must not keep the others from their builds
        def line = (e.message ?: '').readLines().find { text -> !text.trim().isEmpty() }
        [name: name, error: e.getClass().simpleName + (line ? ': ' + line.trim() : '')]
    }
}

print 'configurator:' + payload.nonce + '\n' + JsonOutput.toJson([results: payload.jobs.collect(build)])
