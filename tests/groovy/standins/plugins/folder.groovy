package com.cloudbees.hudson.plugins.folder

import hudson.model.AbstractItem
import hudson.model.ItemGroup
import hudson.model.ViewGroup
import jenkins.model.Jenkins

class DescribableList {
    private final Map<Class, Object> byClass = [:]

    void add(Object property) { byClass[property.getClass()] = property }

    Object get(Class type) { byClass[type] }

    Object get(int index) { throw new AssertionError('another overload') }
}

abstract class AbstractFolder extends AbstractItem implements ItemGroup, ViewGroup {
    boolean disabled
    Collection views = []
    private final DescribableList folderProperties = new DescribableList()

    File getRootDir() {
        new File(Jenkins.get().rootDir, 'jobs/' + fullName.replace('/', '/jobs/'))
    }

    DescribableList getProperties() { folderProperties }

    void addProperty(Object property) { folderProperties.add(property) }

    Collection getItems() {
        Jenkins.get().all.values().findAll { it.fullName ==~ /\Q${fullName}\E\/[^\/]+/ }
    }

    Collection getItems(Object predicate) { throw new AssertionError('another overload') }
}

class Folder extends AbstractFolder {
}

class MultiBranchProject extends AbstractFolder {
}

class OrganizationFolder extends AbstractFolder {
}

/** A folder whose items can't be had. */
class DamagedFolder extends AbstractFolder {
    Collection getItems() { throw new IllegalStateException('not today') }
}
