package com.thoughtworks.xstream.mapper

class CannotResolveClassException extends RuntimeException {
    CannotResolveClassException(String message) { super(message) }
}
