import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import type { StorePlugin } from '../../src/hosts/verdaccio/api.ts'
import { pluginStore } from '../../src/hosts/verdaccio/plugin-store.ts'
import { objectStoreContract } from '../../src/testing/index.ts'
import { temporaryFolder } from '../support/cargo.ts'

/** The store plugins that Verdaccio itself comes with: of version 6, and of version 9. */
const PLUGINS = {
  '@verdaccio/local-storage-legacy': '11.4.3',
  '@verdaccio/local-storage': '14.0.0-next-9.31',
} as const

type Constructor = new (config: object, logger: object) => StorePlugin & { init?(): Promise<void> }

const installing = install()
after(async () => rm(await installing, { recursive: true, force: true }))

for (const name of Object.keys(PLUGINS)) {
  objectStoreContract(`pluginStore() over ${name}`, async (t: TestContext) => {
    const { default: Plugin } = createRequire(join(await installing, 'package.json'))(name) as {
      readonly default: Constructor
    }
    const folder = await temporaryFolder(t)
    const configPath = join(folder, 'config.yaml')
    const config = {
      ...{ storage: join(folder, 'storage'), configPath, self_path: configPath, packages: {} },
      getMatchedPackagesSpec: () => ({}),
      checkSecretKey: (key = 'x'.repeat(32)) => key,
    }
    const plugin = new Plugin(config, silent)
    await plugin.init?.()
    return pluginStore(plugin)
  })
}

async function install(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cargo-test-'))
  await writeFile(join(folder, 'package.json'), '{"private":true}')
  const packages = Object.entries(PLUGINS).map(([name, version]) => `${name}@${version}`)
  await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund', ...packages], { cwd: folder })
  return folder
}

const say = () => {}
const silent = { info: say, debug: say, trace: say, warn: say, error: say, child: () => silent }
