import { test } from 'node:test'
import { crowdInBucket, crowdInOtherStore } from './crowd.ts'
import { hiddenIsHidden } from './differential.ts'
import { install } from './install.ts'

const PACKAGES = [
  'verdaccio-aws-s3-storage@10.4.0',
  '@aws-sdk/client-s3@3',
  'verdaccio-memory@10.5.2',
  'verdaccio-auth-memory@13.0.3',
]

test('inside Verdaccio with other stores, and with what is hidden', { timeout: 600_000 }, async (suite) => {
  const installed = await install(suite, '6.10.4', PACKAGES)
  await suite.test('crowds in the bucket lose nothing', (t) => crowdInBucket(t, installed))
  await suite.test('crowds in a store of another kind lose nothing', (t) => crowdInOtherStore(t, installed))
  await suite.test('what is hidden is hidden', (t) => hiddenIsHidden(t, installed))
})
