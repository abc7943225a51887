package org.jenkinsci.plugins.workflow.job

import hudson.model.Job
import jenkins.model.ParameterizedJobMixIn

class WorkflowJob extends Job implements ParameterizedJobMixIn.ParameterizedJob {
    boolean disabled
    Map triggers = [:]
}
