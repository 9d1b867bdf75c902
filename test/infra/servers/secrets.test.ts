import assert from 'node:assert/strict';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readOrMakeCertificate } from '../../../infra/servers/certificate.ts';
import { readOrMakeSecrets } from '../../../infra/servers/secrets.ts';

const folder = mkdtempSync(join(tmpdir(), 'r1-secrets-'));
after(() => rmSync(folder, { recursive: true }));

test('a home of an earlier release keeps its secrets and gains those that it lacks', () => {
  const path = join(folder, 'secrets.json');
  const earlier = { homeId: 'h', postgresPassword: 'p', s3AccessKeyId: 'a', s3SecretAccessKey: 's' };
  writeFileSync(path, JSON.stringify(earlier));
  const { s3SigningKey, ...kept } = readOrMakeSecrets(path);
  assert.deepEqual(kept, earlier);
  assert.match(s3SigningKey, /^[0-9a-f]{64}$/);
  assert.equal(readOrMakeSecrets(path).s3SigningKey, s3SigningKey);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('a certificate is made once, made again where it is damaged, and its key is the owner’s alone', () => {
  const files = readOrMakeCertificate(join(folder, 'certificates'));
  const certificate = () => new X509Certificate(readFileSync(files.certificate));
  const { serialNumber, publicKey } = certificate();
  assert.ok(publicKey.equals(createPublicKey(readFileSync(files.key))));
  assert.ok(certificate().verify(publicKey));
  assert.equal(statSync(files.key).mode & 0o777, 0o600);
  readOrMakeCertificate(join(folder, 'certificates'));
  assert.equal(certificate().serialNumber, serialNumber);
  writeFileSync(files.key, '');
  readOrMakeCertificate(join(folder, 'certificates'));
  assert.notEqual(certificate().serialNumber, serialNumber);
});
