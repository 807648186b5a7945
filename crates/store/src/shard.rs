//! How rooms and channels are spread over the hash slots of a Redis Cluster.

/// Into how many shards they are spread. Part of the key layout: changing it loses what is stored.
pub(super) const SHARDS: u16 = 64;

/// The shard of a room or channel: FNV-1a of its name, mixed so that short names spread too. Stable across nodes
/// and versions.
pub(super) fn shard_of(name: &str) -> u16 {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mixed = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    // The remainder is below 64.
    u16::try_from((mixed ^ (mixed >> 33)) % u64::from(SHARDS)).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_shard_and_spread_evenly() {
        assert_eq!(shard_of("1582198263406759936"), 41);
        let ids: [fn(u64) -> u64; 2] = [|id| id, |id| 1_582_198_263_406_759_936 + id * 4096];
        for id in ids {
            let mut counts = vec![0_u32; usize::from(SHARDS)];
            for number in 0..64_000_u64 {
                counts[usize::from(shard_of(&id(number).to_string()))] += 1;
            }
            assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
        }
    }
}
