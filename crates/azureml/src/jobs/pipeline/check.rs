use super::{Draft, Source, Step};
use crate::{Error, Result, name_list::name_list};

/// Checks what only the whole can tell. What is bound exists and is of the right type: handles see to that.
pub(super) fn whole(draft: &Draft) -> Result<()> {
    let error = |place: String, problem: String| Err(Error::Definition { place, problem });
    if draft.steps.is_empty() {
        return error(draft.place(), "it has no step".to_owned());
    }
    for step in &draft.steps {
        if let Some(problem) = step_problem(draft, step) {
            return error(format!("{}, step `{}`", draft.place(), step.name), problem);
        }
    }
    let unused: Vec<&str> = unused_inputs(draft).collect();
    if let [first, ..] = unused[..] {
        let is_one = unused.len() == 1;
        let names = if is_one { format!("`{first}`") } else { name_list(unused) };
        let problem = if is_one { "no step uses the input" } else { "no step uses the inputs" };
        return error(draft.place(), format!("{problem} {names}"));
    }
    match cycle(draft) {
        Some(cycle) => error(draft.place(), format!("its steps wait for each other: {cycle}")),
        None => Ok(()),
    }
}

fn step_problem(draft: &Draft, step: &Step) -> Option<String> {
    if step.compute.is_none() && draft.default_compute.is_none() {
        return Some("it has no compute, and the pipeline has no default_compute".to_owned());
    }
    let inputs = step.component.inputs();
    let missing: Vec<&str> = inputs
        .iter()
        .filter(|(name, input)| input.is_required() && !step.inputs.contains_key(*name))
        .map(|(name, _)| name.as_str())
        .collect();
    (!missing.is_empty()).then(|| {
        let bound = name_list(step.inputs.keys().map(String::as_str));
        format!("it needs {}; bound are {bound}", name_list(missing))
    })
}

fn unused_inputs(draft: &Draft) -> impl Iterator<Item = &str> {
    let is_used = |index: usize| {
        let mut sources = draft.steps.iter().flat_map(|step| step.inputs.values());
        sources.any(|source| *source == Source::Input(index))
    };
    let inputs = draft.inputs.iter().enumerate();
    inputs.filter(move |(index, _)| !is_used(*index)).map(|(_, (name, _))| name.as_str())
}

/// Steps of which each waits for the next, and the last for the first. Steps that wait for none are taken away until none is left, or
/// all that are left wait for each other; there is no recursion that a long pipeline could exhaust.
fn cycle(draft: &Draft) -> Option<String> {
    let waits_for = |step: &Step| {
        step.inputs
            .values()
            .filter_map(|source| match source {
                Source::Output { step, .. } => Some(*step),
                _ => None,
            })
            .collect::<Vec<usize>>()
    };
    let before: Vec<Vec<usize>> = draft.steps.iter().map(waits_for).collect();
    let mut is_done = vec![false; before.len()];
    loop {
        let ready: Vec<usize> = (0..before.len())
            .filter(|step| !is_done[*step] && before[*step].iter().all(|other| is_done[*other]))
            .collect();
        if ready.is_empty() {
            break;
        }
        ready.into_iter().for_each(|step| is_done[step] = true);
    }
    // From any step that is left, on to one that it waits for, until one comes again.
    let mut path = vec![is_done.iter().position(|is_done| !is_done)?];
    loop {
        let last = *path.last()?;
        let next = before[last].iter().copied().find(|other| !is_done[*other])?;
        if let Some(start) = path.iter().position(|step| *step == next) {
            let steps = path[start..].iter().chain([&next]);
            let names = steps.filter_map(|step| draft.steps.get(*step));
            let names: Vec<String> = names.map(|step| format!("`{}`", step.name)).collect();
            return Some(names.join(" for "));
        }
        path.push(next);
    }
}
