import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApp } from '../../support/app.ts'
import { crateFile } from '../../support/crate-file.ts'
import { testRefusals } from './refusal.ts'

const options = { rules: 'crates_io' } as const
const COMPLAINT = 'description is missing: must say in a sentence what the crate does'

testRefusals('what crates.io would', [
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
  {
    what: 'six keywords',
    publish: crateFile().package({ keywords: ['a', 'b', 'c', 'd', 'e', 'f'] }),
    options,
    detail: 'crate has `6` keywords: at most 5 are allowed',
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
