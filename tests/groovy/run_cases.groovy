// Compiles the stand-ins, then runs every case as the script console would, in a class loader of its own.
// Arguments: folder of stand-ins, folder of scripts, file with the cases (JSON), folder to work in, file for
// the results.
import groovy.json.JsonOutput
import groovy.json.JsonSlurper
import org.codehaus.groovy.control.CompilationUnit
import org.codehaus.groovy.control.CompilerConfiguration

def standIns = new File(args[0])
def scripts = new File(args[1])
def cases = new JsonSlurper().parse(new File(args[2]), 'UTF-8')
def work = new File(args[3])

def compile = { String name, List<File> path ->
    def target = new File(work, name)
    def config = new CompilerConfiguration(targetDirectory: target)
    def loader = new GroovyClassLoader(getClass().classLoader, config)
    path.each { loader.addURL(it.toURI().toURL()) }
    def unit = new CompilationUnit(config, null, loader)
    unit.addSources(new File(standIns, name).listFiles().findAll { it.name.endsWith('.groovy') } as File[])
    unit.compile()
    target
}
def stapler = compile('stapler', [])
def oldStapler = compile('old-stapler', [])
def core = compile('core', [stapler])
def plugins = compile('plugins', [core, stapler])

def run = { Map one ->
    def path = [core, one.old_stapler ? oldStapler : stapler] + (one.without_plugins ? [] : [plugins])
    def loader = new URLClassLoader(path.collect { it.toURI().toURL() } as URL[], getClass().classLoader)
    loader.loadClass('standin.World').newInstance(loader).build(one.world, one.payload)
    def out = new StringWriter()
    def shell = new GroovyShell(loader)
    def printer = new PrintWriter(out)
    shell.setVariable('out', printer)
    def error = null
    try {
        def result = shell.evaluate(new File(scripts, one.script + '.groovy').getText('UTF-8'))
        if (result != null) {
            printer.println('Result: ' + result) // as the script console does
        }
    } catch (Throwable e) {
        error = e.toString()
    }
    printer.flush()
    [output: out.toString(), error: error, effects: loader.loadClass('jenkins.model.Jenkins').get().effects]
}

new File(args[4]).setText(JsonOutput.toJson(cases.collectEntries { [(it.name): run(it)] }), 'UTF-8')
