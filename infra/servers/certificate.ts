import { createPublicKey, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import forge from 'node-forge';
import { readIfThere, writeAtomically } from '../machine/atomic-file.ts';
import { makeFolder } from '../machine/file-errors.ts';

/** Paths of a certificate and its private key (PEM). */
export type CertificateFiles = { certificate: string; key: string };

/** The name under which the parts of the server authenticate each other. */
const COMMON_NAME = 'durable-r1';
const FIRST_DAY = new Date('2000-01-01T00:00:00Z');
/** RFC 5280: a certificate without an expiry. Anyone who can read the key can read the home already. */
const LAST_DAY = new Date('9999-12-31T23:59:59Z');

/**
 * The home's certificate, created where there is none. It is self-signed: only the local S3 server, which has its key, is
 * accepted.
 */
export function readOrMakeCertificate(folder: string): CertificateFiles {
  const files = { certificate: join(folder, 'grpc.crt'), key: join(folder, 'grpc.key') };
  if (belongTogether(files)) return files;
  makeFolder(folder, 0o700);
  const { certificate, key } = selfSigned();
  writeAtomically(files.key, key, 0o600);
  writeAtomically(files.certificate, certificate, 0o600);
  return files;
}

function belongTogether({ certificate, key }: CertificateFiles): boolean {
  const [pem, secret] = [readIfThere(certificate), readIfThere(key)];
  if (pem === undefined || secret === undefined) return false;
  try {
    return new X509Certificate(pem).publicKey.equals(createPublicKey(secret));
  } catch {
    return false;
  }
}

function selfSigned(): { certificate: string; key: string } {
  const { privateKey: key } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const privateKey = forge.pki.privateKeyFromPem(key);
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.setRsaPublicKey(privateKey.n, privateKey.e);
  // The first byte keeps the number positive.
  certificate.serialNumber = `01${randomBytes(15).toString('hex')}`;
  certificate.validity = { notBefore: FIRST_DAY, notAfter: LAST_DAY };
  const name = [{ name: 'commonName', value: COMMON_NAME }];
  certificate.setSubject(name);
  certificate.setIssuer(name);
  certificate.setExtensions([
    { name: 'basicConstraints', cA: true, critical: true },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, keyCertSign: true, critical: true },
    { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
    {
      name: 'subjectAltName',
      altNames: [
        { type: 2, value: 'localhost' },
        { type: 7, ip: '127.0.0.1' },
      ],
    },
  ]);
  certificate.sign(privateKey, forge.md.sha256.create());
  return { certificate: forge.pki.certificateToPem(certificate), key };
}
