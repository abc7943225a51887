package com.cloudbees.plugins.credentials

enum CredentialsScope {
    GLOBAL, SYSTEM
}

abstract class Credentials {
    CredentialsScope scope = CredentialsScope.GLOBAL
}

abstract class StandardCredentials extends Credentials {
    String id
    String description
}

/** Has no id, as third-party classes may. */
class NamelessCredentials extends Credentials {
}

/** A secret kept elsewhere: to ask for it goes over the network. */
class RemoteCredentials extends StandardCredentials {
    Object getPassword() { throw new AssertionError('goes over the network') }

    String getUsername() { throw new AssertionError('goes over the network') }
}

class SystemCredentialsProvider {
    private static final SystemCredentialsProvider INSTANCE = new SystemCredentialsProvider()
    Map domainCredentialsMap = [:]

    static SystemCredentialsProvider getInstance() { INSTANCE }
}
