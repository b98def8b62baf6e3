//! Fewer points that look the same: Largest Triangle Three Buckets.

/// Keeps `most` of the points, the first and the last among them: of each bucket the one that makes the largest triangle
/// with the point kept before it and the middle of the next bucket.
pub(super) fn thin(points: &[(f64, f64)], most: usize) -> Vec<(f64, f64)> {
    let (Some(&first), Some(&last)) = (points.first(), points.last()) else {
        return Vec::new();
    };
    if most < 3 || points.len() <= most {
        return points.to_vec();
    }
    let (inner, buckets) = (points.len() - 2, most - 2);
    let edge = |bucket: usize| 1 + bucket * inner / buckets;
    let mut kept = Vec::with_capacity(most);
    kept.push(first);
    let mut before = first;
    for bucket in 0..buckets {
        let next = &points[edge(bucket + 1)..edge(bucket + 2).clamp(edge(bucket + 1) + 1, points.len())];
        #[expect(clippy::cast_precision_loss, reason = "a bucket is small")]
        let length = next.len() as f64;
        let middle = next.iter().fold((0.0, 0.0), |sum, point| {
            (sum.0 + point.0 / length, sum.1 + point.1 / length)
        });
        let area = |point: &(f64, f64)| {
            ((before.0 - middle.0) * (point.1 - before.1) - (before.0 - point.0) * (middle.1 - before.1)).abs()
        };
        let here = &points[edge(bucket)..edge(bucket + 1)];
        if let Some(&largest) = here.iter().max_by(|a, b| area(a).total_cmp(&area(b))) {
            kept.push(largest);
            before = largest;
        }
    }
    kept.push(last);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_spikes_stay() {
        let points: Vec<(f64, f64)> = (0..10_000)
            .map(|n| (f64::from(n), if n == 4321 { 1000.0 } else { f64::from(n % 7) }))
            .collect();
        let kept = thin(&points, 500);
        assert_eq!(kept.len(), 500);
        assert_eq!((kept[0], kept[499]), (points[0], points[9999]));
        assert!(kept.contains(&(4321.0, 1000.0)));
        assert!(kept.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!(thin(&points[..3], 500), points[..3]);
        assert!(thin(&[], 500).is_empty());
    }
}
