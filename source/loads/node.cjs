// Which of the texts on stdin Node reads as JavaScript: nothing of them is run.
// In: [{text, module}], out: [true, false, …].
const vm = require('node:vm')
const reads = ({ text, module }) => {
  text = text.replace(/^\uFEFF/, '').replace(/^#!/, '//')
  try {
    if (module) new vm.SourceTextModule(text)
    else vm.compileFunction(text, ['exports', 'require', 'module', '__filename', '__dirname'])
    return true
  } catch (err) {
    return !/SyntaxError/.test(String(err?.name))
  }
}
process.stdout.write(JSON.stringify(JSON.parse(require('node:fs').readFileSync(0, 'utf8')).map(reads)))
