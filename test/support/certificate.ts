import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** A certificate for 127.0.0.1 that signs itself. */
export interface Certificate {
  readonly key: Buffer
  readonly cert: Buffer
  readonly keyFile: string
  readonly certFile: string
}

/** Makes a certificate with `openssl`, in `folder`. */
export async function makeCertificate(folder: string): Promise<Certificate> {
  const keyFile = join(folder, 'key.pem')
  const certFile = join(folder, 'cert.pem')
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile]
  const cert = ['-out', certFile, '-days', '2', '-subj', '/CN=127.0.0.1']
  // Rust's TLS library takes no authority for a server.
  const names = [
    '-addext',
    'subjectAltName=IP:127.0.0.1,DNS:localhost',
    '-addext',
    'basicConstraints=critical,CA:FALSE',
  ]
  await promisify(execFile)('openssl', ['req', '-x509', ...key, ...cert, ...names])
  return { key: await readFile(keyFile), cert: await readFile(certFile), keyFile, certFile }
}
