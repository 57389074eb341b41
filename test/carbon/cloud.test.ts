// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { describeCloud } from '../../lib/carbon/cloud.js';
import { MicrojouleError } from '../../lib/core/errors.js';

const nowhere = { sysfs: '/nonexistent', runFolder: '/nonexistent' };

test('nothing given and nothing found: unknown, not "no"', () => {
  expect(describeCloud(nowhere)).toMatchObject({
    onCloud: false,
    kind: 'absent',
    source: 'DMI',
    method: 'environment, cloud-init, DMI',
  });
  expect(describeCloud({ ...nowhere, cloudProvider: undefined, cloudRegion: undefined })).toEqual(
    describeCloud(nowhere),
  );
});

test('what the user gave is kept as given', () => {
  const cloud = describeCloud({ cloudProvider: 'aws', cloudRegion: ' sa-east-1 ' });
  expect(cloud).toMatchObject({ onCloud: true, provider: 'aws', region: 'sa-east-1' });
  expect(cloud).toMatchObject({ kind: 'assumed', source: 'user', method: 'given' });
  expect(describeCloud({ cloudProvider: 'hetzner' })).not.toHaveProperty('region');
});

test.each([
  [{ cloudRegion: 'sa-east-1' }],
  [{ cloudProvider: ' ' }],
  [{ cloudProvider: 'aws', cloudRegion: '' }],
  [{ cloudProvider: 1 as unknown as string }],
])('%j is refused', (options) => {
  expect(() => describeCloud(options)).toThrowError(expect.objectContaining({ code: 'ERR_BAD_OPTION' }));
  expect(() => describeCloud(options)).toThrowError(MicrojouleError);
});
