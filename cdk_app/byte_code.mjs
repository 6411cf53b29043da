// Compiles every module below a folder with CPython for WebAssembly, as `python -m compileall` of that release does.
//
//     node byte_code.mjs PYODIDE FOLDER MOUNT MAGIC
//
// Writes nothing but .pyc files, reads nothing from the network. Exit code 1: a module does not compile, or this is not
// the release whose byte code has this magic number (hexadecimal).
import { pathToFileURL } from "node:url";

const [home, folder, mount, magic] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${home}/pyodide.mjs`));
// The hash seed fixes the order of set constants.
const python = await loadPyodide({ env: { PYTHONHASHSEED: "0" }, stdout: console.error, stderr: console.error });
python.FS.mkdir("/bundle");
python.FS.mount(python.FS.filesystems.NODEFS, { root: folder }, "/bundle");
python.globals.set("mount", mount);
python.globals.set("magic", magic);
const compiled = python.runPython(`
import compileall, importlib.util, py_compile, sys

def compile_bundle():
    if importlib.util.MAGIC_NUMBER.hex() != magic:
        print("this is Python", sys.version, "and the functions run on another release")
        return False
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    options = {"quiet": 1, "force": True, "invalidation_mode": unchecked}
    return bool(compileall.compile_dir("/bundle", stripdir="/bundle", prependdir=mount, **options))

compile_bundle()
`);
process.exitCode = compiled ? 0 : 1;
