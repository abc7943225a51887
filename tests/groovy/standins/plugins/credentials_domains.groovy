package com.cloudbees.plugins.credentials.domains

class Domain {
    final String name

    Domain(String name) { this.name = name }
}
