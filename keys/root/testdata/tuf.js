// Walks over chains of roots as tuf-js's client does. On standard input a JSON array
// of {name, roots}; on standard output one of {name, last, error}.
const { Metadata, MetadataKind } = require('@tufjs/models');

function walk(roots) {
  let trusted = null;
  for (const text of roots) {
    const next = Metadata.fromJSON(MetadataKind.Root, JSON.parse(text));
    if (trusted) {
      if (next.signed.version !== trusted.signed.version + 1) {
        throw new Error(`version ${next.signed.version} after ${trusted.signed.version}`);
      }
      trusted.verifyDelegate('root', next);
    }
    next.verifyDelegate('root', next);
    trusted = next;
  }
  return trusted.signed.version;
}

const cases = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const answers = cases.map(({ name, roots }) => {
  try {
    return { name, last: walk(roots), error: '' };
  } catch (e) {
    return { name, last: 0, error: String(e.message || e) };
  }
});
process.stdout.write(JSON.stringify(answers));
