import { crateFile } from '../../support/crate-file.ts'
import { testRefusals } from './refusal.ts'

testRefusals(
  'a bad rust-version',
  ['', '1.70.0.0', '1.70-beta', '^1.70', '01.70', '1.', 'stable'].map((version) => ({
    what: version === '' ? 'empty' : version,
    publish: crateFile().package({ 'rust-version': version }),
    detail: `invalid rust-version \`${version}\`: must be one to three numbers such as \`1.70\``,
  })),
)
