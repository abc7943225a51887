package org.jenkinsci.plugins.plaincredentials.impl

import com.cloudbees.plugins.credentials.StandardCredentials
import hudson.util.Secret

class StringCredentialsImpl extends StandardCredentials {
    Secret secret
}
