package com.cloudbees.hudson.plugins.folder.properties

class FolderCredentialsProvider {
    static Object newStore(Map domains) { new FolderCredentialsProperty(domainCredentialsMap: domains) }

    static class FolderCredentialsProperty {
        Map domainCredentialsMap
    }
}
