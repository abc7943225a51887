package hudson.util

import com.thoughtworks.xstream.io.StreamException
import com.thoughtworks.xstream.mapper.CannotResolveClassException
import hudson.model.AbstractItem
import javax.xml.parsers.DocumentBuilderFactory
import org.w3c.dom.Element
import org.w3c.dom.Node
import org.xml.sax.ErrorHandler
import org.xml.sax.InputSource
import org.xml.sax.SAXException

/** Ciphertext of the same form as Jenkins': version byte 1, later noise, so that no two are alike. */
class Secret {
    private static final List<Byte> HEAD = [1, 0, 0, 0, 16]*.byteValue()
    private static int written = 0
    private final String text

    private Secret(String text) { this.text = text }

    String getPlainText() { text }

    String getEncryptedValue() {
        def bytes = new ByteArrayOutputStream()
        bytes.write((HEAD + [written++]) as byte[])
        bytes.write(text.getBytes('UTF-8'))
        '{' + bytes.toByteArray().encodeBase64() + '}'
    }

    static Secret fromString(String value) { decrypt(value) ?: new Secret(value) }

    static Secret decrypt(String value) {
        if (!(value ==~ /\{[A-Za-z0-9+\/]+=*\}/)) {
            return null
        }
        def bytes = value[1..-2].decodeBase64()
        if (bytes.length < HEAD.size() + 1 || bytes[0..<HEAD.size()] != HEAD) {
            return null
        }
        def start = HEAD.size() + 1
        new Secret(new String(bytes, start, bytes.length - start, 'UTF-8'))
    }
}

/** Reads what it knows, drops what it does not know, writes two spaces, plugin versions and ciphertext. */
class XStream2 {
    private static final Set ROOTS = ['flow-definition', 'project'] as Set
    private int written = 0

    Object fromXML(String xml) {
        def builder = DocumentBuilderFactory.newInstance().newDocumentBuilder()
        builder.errorHandler = [warning: { }, error: { }, fatalError: { throw it }] as ErrorHandler
        Element root
        try {
            root = builder.parse(new InputSource(new StringReader(xml))).documentElement
        } catch (SAXException e) {
            def seen = xml.length() > 40 ? xml[-40..-1] : xml
            throw new StreamException(
                " : unexpected end (position: START_TAG seen ...${seen}... @3:14) \ndebug: ${xml}")
        }
        if (!ROOTS.contains(root.tagName)) {
            throw new CannotResolveClassException(root.tagName)
        }
        root
    }

    String toXML(Object object) {
        def out = new StringBuilder()
        write(object instanceof AbstractItem ? (Element) fromXML(object.live) : (Element) object, '', out)
        out.toString()
    }

    private void write(Element element, String indent, StringBuilder out) {
        if (element.tagName.startsWith('unknown')) {
            return
        }
        out << (indent.isEmpty() ? '' : '\n') << indent << '<' << element.tagName
        if (element.hasAttribute('class')) {
            out << ' class="' << element.getAttribute('class') << '"'
        }
        if (element.tagName.contains('.')) {
            out << ' plugin="some-plugin@' << written++ << '"'
        }
        def nodes = element.childNodes
        def all = (0..<nodes.length).collect { nodes.item(it) }
        def children = all.findAll { it.nodeType == Node.ELEMENT_NODE }
        def text = children ? '' : element.textContent
        if (element.tagName == 'secretToken' && text) {
            text = Secret.fromString(text.trim()).encryptedValue
        }
        if (!children && !text) {
            out << '/>'
            return
        }
        def escapes = ['&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;']
        out << '>' << text.replaceAll(/[&<>"]/) { escapes[it] }
        children.each { write((Element) it, indent + '  ', out) }
        out << (children ? '\n' + indent : '') << '</' << element.tagName << '>'
    }
}
