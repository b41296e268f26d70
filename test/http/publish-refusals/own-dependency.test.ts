import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { OptionsInput } from '../../../src/options.ts'
import { startApp } from '../../support/app.ts'
import { crateFile } from '../../support/crate-file.ts'
import { testRefusals } from './refusal.ts'

const PUBLIC_URL = 'https://crates.example'
const OWN = `sparse+${PUBLIC_URL}/cargo/`
const missing = (name: string) => `dependency \`${name}\` is not in this registry: must be published before`
const misspelt = (name: string, real: string) =>
  `dependency \`${name}\` is called \`${real}\` in this registry: must be spelled the same`

/** A crate that depends on this one of the registry that it is published to. */
const dependent = (dependency: string, more: object = {}) =>
  crateFile('user').dep(dependency, { version: '1', 'registry-index': OWN, own: true, ...more })

const options: OptionsInput = { rules: 'crates_io', aliases: [`${PUBLIC_URL}/cargo`] }

testRefusals('a dependency that nobody would find', [
  { what: 'not there', publish: dependent('base'), options, detail: missing('base') },
  {
    what: 'not there under its real name',
    publish: dependent('base', { package: 'other' }),
    after: crateFile('base'),
    options,
    detail: missing('other'),
  },
  {
    what: 'in other case',
    publish: dependent('Base'),
    after: crateFile('base'),
    options,
    detail: misspelt('Base', 'base'),
  },
  {
    what: '- for _',
    publish: dependent('my-base'),
    after: crateFile('my_base'),
    options,
    detail: misspelt('my-base', 'my_base'),
  },
])

/** The warnings that ann gets for a crate. */
async function warningsFor(t: TestContext, crate = dependent('base'), more: OptionsInput = {}) {
  const app = await startApp(t, { options: { ...options, rules: 'private', ...more } })
  await app.publish(crateFile('base'), 'root')
  const { status, body } = await app.publish(crate)
  assert.equal(status, 200)
  return (body as { warnings: { other: string[] } }).warnings.other
}

test('publish() only warns of a dependency that is not there when the rules are private', async (t) => {
  const crate = dependent('base').dep('gone', { version: '1', 'registry-index': OWN, own: true })
  assert.deepEqual(await warningsFor(t, crate), [missing('gone')])
})

test('publish() does not look for crates of crates.io, of uplinks, and the crate itself', async (t) => {
  const uplinks = { other: { url: 'sparse+http://127.0.0.1:1/' } }
  const packages = {
    'up-*': { publish: '$authenticated', proxy: 'other' },
    '**': { publish: '$authenticated' },
  }
  const crate = dependent('up-there').dep('serde', '1')
  assert.deepEqual(await warningsFor(t, crate, { uplinks, packages }), [])
  const own = { version: '1', 'registry-index': OWN, own: true, kind: 'dev' } as const
  assert.deepEqual(await warningsFor(t, crateFile('user').dep('user', own)), [])
})

test('publish() does not tell of crates that the publisher may not read', async (t) => {
  const packages = { base: { access: 'root', publish: 'root' }, '**': { publish: '$authenticated' } }
  for (const name of ['base', 'Base', 'absent'])
    assert.deepEqual(await warningsFor(t, dependent(name), { packages }), [missing(name)])
})
