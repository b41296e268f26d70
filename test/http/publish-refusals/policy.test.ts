import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApp } from '../../support/app.ts'
import { crateFile } from '../../support/crate-file.ts'
import { testRefusals } from './refusal.ts'

const options = { rules: 'crates_io' } as const
const COMPLAINT = 'description is missing: must say in a sentence what the crate does'

const KEYWORD =
  'must start with a letter or a digit, go on with letters, digits, `_`, `-` or `+`, and have at most 20 characters'
const SIX = ['a', 'b', 'c', 'd', 'e', 'f']

/** A crate with so many features, and one that has as many entries. */
function withFeatures(count: number) {
  const names = Array.from({ length: count }, (_, i) => `f${i}`)
  const crate = crateFile()
  for (const name of names) crate.feature(name)
  return crate.feature('all', names)
}

testRefusals('what crates.io would', [
  ...[
    { fields: { description: ' ' }, detail: COMPLAINT },
    {
      fields: { description: 'ü'.repeat(501) },
      detail: 'description has `1002` bytes: at most 1000 are allowed',
    },
    {
      fields: { license: 'Beerware 3000' },
      detail: 'invalid license `Beerware 3000`: must be an SPDX 2.1 licence expression',
    },
    {
      fields: { license: undefined },
      detail: 'license is missing: must have `license` or `license-file`',
    },
    ...(['homepage', 'documentation', 'repository'] as const).map((field) => ({
      fields: { [field]: 'ftp://a.example/' },
      detail: `invalid ${field} \`ftp://a.example/\`: must be a URL that starts with \`http://\` or \`https://\``,
    })),
    { fields: { keywords: ['a b'] }, detail: `invalid keyword \`a b\`: ${KEYWORD}` },
    { fields: { keywords: ['-a'] }, detail: `invalid keyword \`-a\`: ${KEYWORD}` },
    {
      fields: { keywords: ['a'.repeat(21)] },
      detail: `invalid keyword \`${'a'.repeat(21)}\`: ${KEYWORD}`,
    },
    { fields: { keywords: SIX }, detail: 'crate has `6` keywords: at most 5 are allowed' },
    { fields: { categories: SIX }, detail: 'crate has `6` categories: at most 5 are allowed' },
  ].map(({ fields, detail }) => ({
    what: JSON.stringify(fields).slice(0, 60),
    publish: crateFile().package(fields),
    options,
    detail,
  })),
  {
    what: '301 features, one with 301 entries',
    publish: withFeatures(301),
    options,
    detail:
      'crate has `302` features: at most 300 are allowed; feature `all` has `301` entries: at most 300 are allowed',
  },
  {
    what: 'no description',
    publish: crateFile().package({ description: undefined }),
    options,
    detail: COMPLAINT,
  },
  {
    what: 'nothing at all',
    publish: crateFile().package({ description: undefined, license: undefined }).dep('bar', '*'),
    options,
    detail: `${COMPLAINT}; license is missing: must have \`license\` or \`license-file\`; requirement \`*\` of dependency \`bar\` is too wide: must name a version`,
  },
])

test('publish() only warns of what crates.io would refuse when the rules are private', async (t) => {
  const app = await startApp(t)
  const { status, body } = await app.publish(crateFile().package({ description: undefined }))
  assert.equal(status, 200)
  assert.deepEqual(body, {
    warnings: { invalid_categories: [], invalid_badges: [], other: [COMPLAINT] },
  })
  assert.equal((await app.stored('crates/')).length, 1)
})
