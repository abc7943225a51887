package com.cloudbees.jenkins.plugins.sshcredentials.impl

import com.cloudbees.plugins.credentials.StandardCredentials
import hudson.util.Secret

class PrivateKeySource {
    List<String> privateKeys
}

class BasicSSHUserPrivateKey extends StandardCredentials {
    String username
    List<String> keys
    Secret passphrase

    PrivateKeySource getPrivateKeySource() { new PrivateKeySource(privateKeys: keys) }

    String getPrivateKey() { throw new AssertionError('deprecated') }
}
