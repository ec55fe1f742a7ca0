/** @module The policy that ships: spread over what fails apart, and where there is room. */
import type { Random } from '../common/random.ts';
import type { PlacementCandidate, PlacementPolicy, PlacementRequest, PlacementRound } from './placement.ts';
import { PlacementDraw } from './placement-draw.ts';

/**
 * Random, weighted by free space less expected writes, and by how busy a datanode is. No second copy in a zone while another
 * one has room, nor on a group of hosts, nor on a host.
 */
export class FreeSpacePlacement implements PlacementPolicy {
  place(
    candidates: readonly PlacementCandidate[],
    request: PlacementRequest,
    random: Random,
  ): readonly (readonly number[])[] {
    const { held = [], nearHost } = request;
    const excluded = new Set([...request.exclude, ...held.map(({ node }) => node)]);
    const usable = candidates.filter(({ node }) => !excluded.has(node));
    const draw = new PlacementDraw({ random }, usable);
    return request.sizes.map((sizeBytes) => {
      const chosen: PlacementCandidate[] = [];
      while (chosen.length < request.copies) {
        const others = [...held, ...chosen];
        const next =
          (others.length === 0 ? draw.onHost(nearHost, sizeBytes) : undefined) ??
          draw.farthest(others, sizeBytes);
        if (next === undefined) break;
        chosen.push(next);
        draw.use(next, sizeBytes);
      }
      return chosen.map(({ node }) => node);
    });
  }

  round(candidates: readonly PlacementCandidate[], random: Random): PlacementRound {
    return new PlacementDraw({ random }, candidates);
  }
}
