import type { TestContext } from 'node:test'
import type { OptionsInput } from '../../src/options.ts'
import { JOE, startTokenApp } from '../http/token-app.ts'
import { uplinkOptions } from '../http/upstream-app.ts'
import type { App } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'
import { startUplink } from '../support/uplink.ts'

const README = `# acme-log

[![Docs](https://docs.example/badge.svg)](https://docs.example) ![License](https://badges.example/mit.svg)

Logs for *acme*, with **levels**. See the [guide](docs/guide.md) and ~~the wiki~~.

## Usage

\`\`\`rust
let logger = Logger::new("service").level(Level::Info).with_a_chain().of_calls().that_is().longer_than_the_page();
\`\`\`

| Feature | Default | Meaning that takes some room in the table of features |
|:--------|:-------:|------------------------------------------------------:|
| \`json\`  | yes | writes_lines_of_json_which_are_longer_than_the_column |

- [x] levels
- [ ] sampling

> A quote.

<details><summary>More</summary>Hidden <kbd>Ctrl</kbd>+<kbd>C</kbd></details>
`

/** An app with something of everything on its pages, for a person who is signed in. */
export async function startSample(t: TestContext): Promise<{ readonly app: App; readonly as: string }> {
  const uplink = await startUplink(t, { crates: [crateFile('serde').dep('serde_derive', '1')], api: true })
  const options: OptionsInput = {
    prefetch: 0,
    admins: ['joe'],
    uplinks: { 'crates-io': uplinkOptions(uplink) },
    packages: {
      'acme-*': { publish: ['$authenticated'] },
      '**': { publish: ['$authenticated'], proxy: ['crates-io'] },
    },
  }
  const { app, token } = await startTokenApp(t, { options })
  await token(JOE, { name: 'laptop' })
  await fill(app)
  // What was downloaded is told by the one that comes after.
  await app.close()
  const later = await startTokenApp(t, { options, host: { storage: app.storage } })
  return { app: later.app, as: JOE }
}

async function fill(app: App): Promise<void> {
  const versions = Array.from({ length: 30 }, (_, i) => `1.${i}.0`)
  for (const version of versions) {
    const { status, text } = await app.publish(logCrate(app, version), JOE)
    if (status !== 200) throw new Error(text)
  }
  for (let i = 0; i < 30; i++) await app.publish(crateFile(`acme-crate-number-${i}`), JOE)
  await app.request('/api/v1/crates/acme-log/1.28.0/yank', { method: 'DELETE', as: JOE })
  for (const version of versions.slice(-3)) await app.request(`/api/v1/crates/acme-log/${version}/download`)
}

function logCrate(app: App, version: string) {
  return crateFile('acme-log', version)
    .package({
      description: 'Logs for the services of acme, with levels, targets and a small footprint',
      homepage: 'https://acme.example/log',
      repository: 'https://github.com/acme/log',
      keywords: ['log', 'tracing'],
      categories: ['development-tools::debugging'],
      authors: ['Ann Author <ann@acme.example>'],
      'rust-version': '1.80',
      readme: 'README.md',
    })
    .add(`acme-log-${version}/README.md`, README)
    .dep('serde', { version: '1.0.200', optional: true, 'default-features': false, features: ['derive'] })
    .dep('acme-core', { version: '2', own: true, 'registry-index': `sparse+${app.url}/` })
    .dep('winapi', { version: '0.3', target: 'cfg(windows)' })
    .dep('cc', { version: '1', kind: 'build' })
    .dep('tempfile', { version: '3', kind: 'dev' })
    .feature('default', ['json'])
    .feature('json', ['dep:serde'])
}
