import { crateFile } from '../../support/crate-file.ts'
import { testRefusals } from './refusal.ts'

testRefusals('a version that is taken', [
  {
    what: 'the same with other bytes',
    after: crateFile(),
    publish: crateFile().add('foo-1.0.0/README.md'),
    status: 409,
    detail: 'crate version `foo@1.0.0` already exists',
  },
  {
    what: 'with build metadata',
    after: crateFile('foo', '1.0.0'),
    publish: crateFile('foo', '1.0.0+one'),
    status: 409,
    detail: 'crate version `foo@1.0.0+one` already exists: `1.0.0` differs from it only in build metadata',
  },
  {
    what: 'with other build metadata',
    after: crateFile('foo', '1.0.0+one'),
    publish: crateFile('foo', '1.0.0+two'),
    status: 409,
    detail:
      'crate version `foo@1.0.0+two` already exists: `1.0.0+one` differs from it only in build metadata',
  },
])
