import { crateFile } from '../../support/crate-file.ts'
import { testRefusals } from './refusal.ts'

testRefusals('a bad version', [
  ...['', '1', '1.2', 'v1.2.3', '01.2.3', '1.2.3-01', '1.2.3 ', '1.2.18446744073709551616', '1.2.3-ä'].map(
    (version) => ({
      what: JSON.stringify(version),
      publish: crateFile('foo', version),
      detail: `invalid version \`${version}\`: must be a semantic version, \`1.2.3\``,
    }),
  ),
  {
    what: 'too long',
    publish: crateFile('foo', `1.0.0-${'a'.repeat(145)}`),
    detail: 'invalid version of 151 characters: must have at most 150',
  },
])
