package com.cloudbees.plugins.credentials.impl

import com.cloudbees.plugins.credentials.StandardCredentials
import hudson.util.Secret

class UsernamePasswordCredentialsImpl extends StandardCredentials {
    String username
    Secret password
}
