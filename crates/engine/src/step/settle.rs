//! What opened and closed within one step was never there.

use crate::Effect;

/// Leaves out pairs of an effect that asks for something and one that takes it back.
pub(super) fn settle(effects: &mut Vec<Effect>) {
    let mut closed: Vec<u64> = effects.iter().filter_map(closes).collect();
    if closed.is_empty() {
        return;
    }
    closed.sort_unstable();
    let opened = effects.iter().filter_map(opens);
    let mut both: Vec<u64> = opened
        .filter(|key| closed.binary_search(key).is_ok())
        .collect();
    if both.is_empty() {
        return;
    }
    both.sort_unstable();
    effects.retain(|effect| {
        let key = opens(effect).or_else(|| closes(effect));
        key.is_none_or(|key| both.binary_search(&key).is_err())
    });
}

/// The key that the effect opens. Keys are unique over all kinds.
fn opens(effect: &Effect) -> Option<u64> {
    match effect {
        Effect::Job { key, .. }
        | Effect::WorkItem { key, .. }
        | Effect::Subscribe { key, .. }
        | Effect::SubscribeSignal { key, .. }
        | Effect::Incident { key, .. } => Some(*key),
        Effect::Arm { timer, .. } => Some(*timer),
        _ => None,
    }
}

/// The key that the effect closes.
fn closes(effect: &Effect) -> Option<u64> {
    match effect {
        Effect::Withdraw { key }
        | Effect::Unsubscribe { key }
        | Effect::UnsubscribeSignal { key } => Some(*key),
        Effect::Disarm { timer } => Some(*timer),
        Effect::Resolve { incident } => Some(*incident),
        _ => None,
    }
}
