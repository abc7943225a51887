package com.dabsquared.gitlabjenkins

import hudson.triggers.Trigger
import hudson.util.Secret

enum TriggerOpenMergeRequest {
    never, source, both {
        @Override
        String toString() { 'translated for people' }
    }
}

class MergeRequestLabelFilterConfig {
    String include
    String exclude
}

class GitLabPushTrigger extends Trigger {
    private static final String LIMIT = 'not a field of one trigger'
    boolean triggerOnPush
    TriggerOpenMergeRequest triggerOpenMergeRequestOnPush
    String noteRegex
    Integer delay
    MergeRequestLabelFilterConfig mergeRequestLabelFilterConfig
    Object foreign
    transient String computed = 'at run time'
    private Secret secretToken
    private Secret other

    String getSecretToken() { secretToken?.plainText }

    void setSecretToken(Secret token) { secretToken = token }

    void setOther(Secret secret) { other = secret }

    String getNoteRegex() { throw new IllegalStateException('a getter was called') }
}

/** The trigger of a plugin from before tokens were secrets. */
class OldTrigger extends GitLabPushTrigger {
    String plain

    String getSecretToken() { plain }
}
