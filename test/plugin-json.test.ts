import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import * as entry from '../src/index.ts'
import { parseOptions } from '../src/options.ts'
import { renderPluginJson } from './support/plugin-json.ts'

const ROOT = join(import.meta.dirname, '..')

const text = readFileSync(join(ROOT, 'plugin.json'), 'utf8')
const plugin = JSON.parse(text)
const packageJson = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))

test('plugin.json says what the schema of the options says', () => {
  assert.equal(text, renderPluginJson(), 'run `npm run docs`')
})

test('plugin.json names what the package exports', () => {
  assert.equal(plugin.name, packageJson.name)
  assert.equal(plugin.entry, packageJson.exports['.'].default)
  assert.equal(packageJson.exports['./plugin.json'], './plugin.json')
  assert.ok(packageJson.files.includes('plugin.json'), 'it is published')
  assert.equal(typeof Reflect.get(entry, plugin.export), 'function')
  assert.equal(plugin.mount, parseOptions({}).mount)
})

test('the options of plugin.json are judged as the plugin judges them', () => {
  const schema = z.fromJSONSchema(plugin.options)
  const cases: readonly unknown[] = [
    {},
    { mount: '/crates', admins: 'platform-team' },
    { mount: 'crates' },
    { mount: '/crates/' },
    ...['512KiB', '10MiB', '1 gb', '1024', 10_485_760, '10 apples', 0].map((crate) => ({
      limits: { crate },
    })),
    { packages: { 'acme-*': { access: '$authenticated', publish: ['rust-team'] } } },
    { packages: { 'acme-*': { acess: '$all' } } },
    { rules: 'crates_io' },
    { rules: 'strict' },
    { unknown: true },
  ]
  for (const options of cases) {
    assert.equal(schema.safeParse(options).success, isAccepted(options), JSON.stringify(options))
  }
})

function isAccepted(options: unknown): boolean {
  try {
    parseOptions(options)
    return true
  } catch {
    return false
  }
}
