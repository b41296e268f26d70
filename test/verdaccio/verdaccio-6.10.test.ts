import { crowdInBucket, crowdInOtherStore } from './crowd.ts'
import { hiddenIsHidden } from './differential.ts'
import { declareSuite } from './suite.ts'

declareSuite('6.10.4', {
  packages: [
    'verdaccio-aws-s3-storage@10.4.0',
    '@aws-sdk/client-s3@3',
    'verdaccio-memory@10.5.2',
    'verdaccio-auth-memory@13.0.3',
  ],
  tests: {
    'crowds in the bucket lose nothing': crowdInBucket,
    'crowds in a store of another kind lose nothing': crowdInOtherStore,
    'what is hidden is hidden': hiddenIsHidden,
  },
})
