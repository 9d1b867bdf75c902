import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { refuseLinksOutside } from '../../../engine/weights/model-file.ts';
import { readModelFolder } from '../../../engine/weights/model-folder.ts';

async function folder(t: TestContext, ...below: string[]): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'links-'));
  t.after(() => rm(path, { recursive: true }));
  const made = join(path, ...below);
  await mkdir(made, { recursive: true });
  return made;
}

test('a link out of a model’s folder is refused before anything is read', async (t) => {
  for (const target of ['/etc/passwd', '../secret', '..', '/']) {
    const model = await folder(t, 'model');
    await writeFile(join(model, '../secret'), 'secret');
    await symlink(target, join(model, 'README.md'));
    const told =
      /README\.md: expected a file of the folder, found a symbolic link to \/.*Copy the file into the folder/;
    await assert.rejects(readModelFolder(model), told);
  }
});

test('a chain of links is followed to its end', async (t) => {
  const model = await folder(t, 'model');
  await symlink('/etc/passwd', join(model, 'b'));
  await symlink('b', join(model, 'a'));
  await assert.rejects(refuseLinksOutside(model), /symbolic link to \/etc\/passwd/);
});

test('links within the folder, to nothing, and of the folder itself are none out of it', async (t) => {
  const model = await folder(t, 'model');
  await writeFile(join(model, 'a'), '');
  await symlink('a', join(model, 'b'));
  await symlink(join(model, 'a'), join(model, 'c'));
  await symlink('absent', join(model, 'd'));
  await symlink('e', join(model, 'e'));
  await refuseLinksOutside(model);
  await symlink(model, join(model, '../link'));
  await refuseLinksOutside(join(model, '../link'));
  await refuseLinksOutside(join(model, 'absent'));
});

test('a snapshot in Hugging Face’s cache keeps its files beside the snapshots', async (t) => {
  const snapshot = await folder(t, 'models--a--b', 'snapshots', '0123');
  const blobs = join(snapshot, '../../blobs');
  await mkdir(blobs);
  await writeFile(join(blobs, 'abc'), '');
  await symlink('../../blobs/abc', join(snapshot, 'config.json'));
  await refuseLinksOutside(snapshot);
  await symlink('../../refs', join(snapshot, 'README.md'));
  await mkdir(join(snapshot, '../../refs'));
  await assert.rejects(refuseLinksOutside(snapshot), /README\.md/);
});
