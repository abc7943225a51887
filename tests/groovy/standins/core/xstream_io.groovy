package com.thoughtworks.xstream.io

class StreamException extends RuntimeException {
    StreamException(String message) { super(message) }
}
