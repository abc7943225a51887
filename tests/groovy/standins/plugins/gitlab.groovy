package com.dabsquared.gitlabjenkins.connection

import com.cloudbees.plugins.credentials.StandardCredentials
import hudson.util.Secret
import jenkins.model.Jenkins

class GitLabApiTokenImpl extends StandardCredentials {
    Secret apiToken
}

class GitLabClientBuilder {
    String id
}

class GitLabConnection {
    final String name
    final String url
    final String apiTokenId
    private final GitLabClientBuilder clientBuilder
    final boolean ignoreCertificateErrors
    private final Integer connectionTimeout
    private final Integer readTimeout

    GitLabConnection(String name, String url, String apiTokenId, String clientBuilderId,
                     boolean ignoreCertificateErrors, Integer connectionTimeout, Integer readTimeout) {
        this(name, url, apiTokenId, new GitLabClientBuilder(id: clientBuilderId), ignoreCertificateErrors,
            connectionTimeout, readTimeout)
    }

    GitLabConnection(String name, String url, String apiTokenId, GitLabClientBuilder clientBuilder,
                     boolean ignoreCertificateErrors, Integer connectionTimeout, Integer readTimeout) {
        this.name = name
        this.url = url
        this.apiTokenId = apiTokenId
        this.clientBuilder = clientBuilder
        this.ignoreCertificateErrors = ignoreCertificateErrors
        this.connectionTimeout = connectionTimeout
        this.readTimeout = readTimeout
    }

    String getClientBuilderId() { clientBuilder.id }

    int getConnectionTimeout() { connectionTimeout }

    int getReadTimeout() { readTimeout }
}

class GitLabConnectionConfig {
    private boolean useAuthenticatedEndpoint = true
    private List<GitLabConnection> connections = []

    boolean isUseAuthenticatedEndpoint() { useAuthenticatedEndpoint }

    void setUseAuthenticatedEndpoint(boolean replacement) {
        useAuthenticatedEndpoint = replacement
        Jenkins.get().effects << "endpoint ${replacement}".toString()
    }

    List<GitLabConnection> getConnections() { connections }

    void setConnections(List<GitLabConnection> replacement) {
        if (replacement*.name.toSet().size() != replacement.size()) {
            throw new IllegalArgumentException('Name must be unique')
        }
        connections = new ArrayList<>(replacement)
    }

    void save() { Jenkins.get().effects << "save connections ${connections*.name}".toString() }
}
