import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Logger } from '../../src/host.ts'
import { parseOptions } from '../../src/options.ts'
import { loadConfig } from '../../src/server/config-sources.ts'
import { createServer } from '../../src/server/index.ts'
import { pluginOptions } from '../../src/server/plugin-options.ts'
import { temporaryFolder } from '../support/cargo.ts'
import { SECRET } from '../support/webhook-receiver.ts'

const FILE = join(import.meta.dirname, '../../examples/standalone/config.yaml')
/** A line of a comment that is a setting, not prose. */
const COMMENTED = /^( *)# (?=( *(- )?[a-z_0-9]+:( |$)))/gm
const SILENT: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

test('the standalone example starts, and reads need the token of its README', async (t) => {
  const data = await temporaryFolder(t)
  const environment = { CI_TOKEN: 'choose-a-long-random-one' }
  const config = await loadConfig({
    ...{ file: FILE, environment, listen: '127.0.0.1:0', data },
    workingDirectory: data,
  })
  const server = await createServer(config, { environment, logger: SILENT })
  t.after(() => server.close())
  const status = async (headers: Readonly<Record<string, string>>) =>
    (await fetch(`${server.url}/config.json`, { headers })).status
  assert.equal(await status({}), 401)
  assert.equal(await status({ authorization: environment.CI_TOKEN }), 200)
  await assert.rejects(createServer(config, { environment: {}, logger: SILENT }), /`CI_TOKEN` is not set/)
})

test('the standalone example is right with every comment sign taken off', async (t) => {
  const folder = await temporaryFolder(t)
  const yaml = await readFile(FILE, 'utf8')
  const file = join(folder, 'config.yaml')
  await writeFile(
    file,
    yaml.replace(COMMENTED, '$1').replace('<64 hexadecimal digits>', `'${'0'.repeat(64)}'`),
  )
  const environment = { PARTNER_TOKEN: 'secret', HOOK_SECRET: SECRET }
  const config = await loadConfig({ file, environment, workingDirectory: folder })
  assert.deepEqual(config.tls, { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') })
  assert.equal(config.redis, 'redis://127.0.0.1:6379')
  assert.equal(config.auth?.tokens[1]?.user, 'ann')
  const options = parseOptions(pluginOptions(config, environment))
  assert.deepEqual(options.packages['**']?.deny?.length, 1)
  assert.equal(options.uplinks['partner']?.auth?.token, 'secret')
  assert.equal(options.webhooks[0]?.secret, SECRET)
})
