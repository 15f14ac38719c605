//! The register learns of a death, a move abroad or a protection just while something is on its way to
//! the person.

use halsonav::rehearsal::Rehearsal;
use halsonav_domain::{CaseId, CommandId, PersonStatus, Protection};
use halsonav_storage::{EffectState, Reader, Register};

use super::{FATES, World};

/// So many of a thousand are struck, each time something is on its way to them.
const STRUCK: usize = 250;

/// What the hub's store says of a person.
struct Seen {
    case: CaseId,
    /// It knows that the person must not be written to.
    barred: bool,
    /// What is decided, is to reach the person, and has not been said to be over.
    on_its_way: Vec<CommandId>,
}

impl World {
    /// Between two turns of parts: looks at what the hub knows, and perhaps strikes.
    pub(super) async fn race(&mut self) {
        if !self.plan.races {
            return;
        }
        let cases: Vec<CaseId> = self.truth.people().into_keys().collect();
        let look = async move |hub: &mut Rehearsal| {
            hub.storage().read(|r| {
                let seen = cases.iter().map(|case| see(r, *case));
                seen.collect::<halsonav_storage::Result<Vec<_>>>()
            })
        };
        let Some(Ok(seen)) = self.with(look).await else {
            return;
        };
        for one in seen.into_iter().flatten() {
            if one.barred {
                self.truth.known(one.case);
            }
            let people = self.truth.people();
            let unharmed = people
                .get(&one.case)
                .is_some_and(|person| person.out_of_bounds.is_none());
            let mut on_its_way = one.on_its_way;
            on_its_way.retain(|id| self.truth.effect(id).is_none());
            if unharmed && !on_its_way.is_empty() && self.truth.goes_wrong(STRUCK) {
                let (status, protection) = FATES[self.chance.below(FATES.len())];
                self.truth.fate(one.case, status, protection);
                self.races.append(&mut on_its_way);
            }
        }
    }

    /// Of those that raced, how many never reached the person.
    pub(super) fn withheld(&self) -> usize {
        let races = self.races.iter();
        races.filter(|id| self.truth.effect(id).is_none()).count()
    }
}

fn see(r: &mut Reader, case: CaseId) -> halsonav_storage::Result<Option<Seen>> {
    let Some(known) = r.case(&case)? else {
        return Ok(None);
    };
    let register = r.register(&known.subject)?;
    let barred = register.as_ref().is_some_and(is_barred);
    let effects = r.effects_of(&case)?;
    let open = |state: EffectState| state.is_under_way() && state != EffectState::Blocked;
    let on_its_way = effects
        .into_iter()
        .filter(|effect| effect.contact && open(effect.state));
    Ok(Some(Seen {
        case,
        barred,
        on_its_way: on_its_way.map(|effect| effect.command.id).collect(),
    }))
}

/// Nobody may write to this person by the ordinary way.
pub(super) fn is_barred(register: &Register) -> bool {
    let gone = !matches!(register.status, Some(PersonStatus::Active) | None);
    gone || register.protection != Protection::None
}
