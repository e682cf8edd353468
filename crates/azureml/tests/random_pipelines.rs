//! Whatever is done to a pipeline: what builds refers to what there is, and no step waits for itself.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::Value;
use spinney_azureml::{
    Component, ComponentInput, ComponentOutput, ComponentSpec, InputType, JobOutput, OutputMode,
    PipelineJob, Result, WorkspaceId,
};

fn workspace() -> WorkspaceId {
    WorkspaceId::new("00000000-0000-0000-0000-000000000000", "rg", "mlops-ws").unwrap()
}

fn component() -> Component {
    let environment = "azureml://registries/azureml/environments/sklearn-1.5/labels/latest";
    let spec = ComponentSpec::new("c", "run", environment)
        .input("data", ComponentInput::uri_file())
        .input("model", ComponentInput::custom_model().optional())
        .input("trees", ComponentInput::new(InputType::Integer).optional())
        .output("file", ComponentOutput::uri_file())
        .output("model", ComponentOutput::custom_model());
    Component::new("/subscriptions/s/components/c/versions/1", &spec).unwrap()
}

/// Something done to a pipeline, which may be refused.
#[derive(Debug, Clone)]
enum Act {
    Input(u8, bool),
    Step(u8),
    BindInput { step: u8, input: u8, source: u8 },
    BindOutput { step: u8, input: u8, source: u8, output: u8 },
    BindValue { step: u8, input: u8 },
    Promote { name: u8, step: u8, output: u8 },
    SetOutput { step: u8, output: u8 },
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let small = || 0..6u8;
    let act = prop_oneof![
        2 => (small(), any::<bool>()).prop_map(|(name, is_file)| Act::Input(name, is_file)),
        3 => small().prop_map(Act::Step),
        3 => (small(), small(), small())
            .prop_map(|(step, input, source)| Act::BindInput { step, input, source }),
        6 => (small(), 0..2u8, small(), 0..3u8)
            .prop_map(|(step, input, source, output)| Act::BindOutput { step, input, source, output }),
        2 => (small(), small()).prop_map(|(step, input)| Act::BindValue { step, input }),
        1 => (small(), small(), 0..3u8)
            .prop_map(|(name, step, output)| Act::Promote { name, step, output }),
        1 => (small(), 0..3u8).prop_map(|(step, output)| Act::SetOutput { step, output }),
    ];
    prop::collection::vec(act, 1..40)
}

/// Does what can be done, and gives the result with the steps that wait for others.
fn build(acts: &[Act]) -> (Result<PipelineJob>, Vec<(String, String)>) {
    const INPUTS: [&str; 3] = ["data", "trees", "nothing"];
    const OUTPUTS: [&str; 3] = ["file", "model", "nothing"];
    let pipeline = PipelineJob::builder("p").default_compute("cluster");
    let component = component();
    let (mut inputs, mut steps) = (Vec::new(), Vec::new());
    let mut waits = Vec::new();
    for act in acts {
        match *act {
            Act::Input(name, is_file) => {
                let name = format!("i{name}");
                inputs.extend(if is_file {
                    pipeline.input_uri_file(&name, "azureml:ames:1").ok()
                } else {
                    pipeline.input_literal(&name, 7).ok()
                });
            }
            Act::Step(name) => {
                let name = format!("s{name}");
                steps.extend(pipeline.step(&name, &component).ok().map(|step| (name, step)));
            }
            Act::BindInput { step, input, source } => {
                if let (Some((_, step)), Some(source)) =
                    (steps.get(usize::from(step)), inputs.get(usize::from(source)))
                {
                    let _ = step.bind(INPUTS[usize::from(input) % 3], *source);
                }
            }
            Act::BindOutput { step, input, source, output } => {
                if let (Some((name, step)), Some((other, source))) =
                    (steps.get(usize::from(step)), steps.get(usize::from(source)))
                    && let Ok(output) = source.output(OUTPUTS[usize::from(output)])
                    && step.bind(["data", "model"][usize::from(input)], output).is_ok()
                {
                    waits.push((name.clone(), other.clone()));
                }
            }
            Act::BindValue { step, input } => {
                if let Some((_, step)) = steps.get(usize::from(step)) {
                    let _ = step.bind(INPUTS[usize::from(input) % 3], 3);
                }
            }
            Act::Promote { name, step, output } => {
                if let Some((_, step)) = steps.get(usize::from(step))
                    && let Ok(output) = step.output(OUTPUTS[usize::from(output)])
                {
                    let _ = pipeline.output(&format!("o{name}"), &output, JobOutput::new());
                }
            }
            Act::SetOutput { step, output } => {
                if let Some((_, step)) = steps.get(usize::from(step)) {
                    let settings = JobOutput::new().mode(OutputMode::Upload);
                    let _ = step.set_output(OUTPUTS[usize::from(output)], settings);
                }
            }
        }
    }
    // Most would lack their data, or use for an input: what can be filled is filled.
    let data = pipeline.input_uri_file("rest", "azureml:ames:1").unwrap();
    for (_, step) in &steps {
        let _ = step.bind("data", data);
        if let Some(input) = inputs.pop() {
            let _ = step.bind("trees", input);
        }
    }
    (pipeline.build(), waits)
}

/// Whether none of them waits, over whatever others, for itself.
fn can_be_ordered(waits: &[(String, String)]) -> bool {
    let mut left: BTreeSet<&(String, String)> = waits.iter().collect();
    loop {
        let waiting: BTreeSet<&str> = left.iter().map(|(name, _)| name.as_str()).collect();
        let before = left.len();
        left.retain(|(_, other)| waiting.contains(other.as_str()));
        if left.is_empty() {
            return true;
        }
        if left.len() == before {
            return false;
        }
    }
}

/// All bindings of a body, by the step that has them (empty for none).
fn bindings(body: &Value) -> Vec<(String, Vec<String>)> {
    let jobs = body["properties"]["jobs"].as_object().unwrap();
    let mut found = Vec::new();
    for (step, job) in jobs {
        let ports = ["inputs", "outputs"].into_iter().filter_map(|key| job[key].as_object());
        for port in ports.flat_map(|ports| ports.values()) {
            let text = port["value"].as_str().unwrap_or_default();
            if let Some(binding) = text.strip_prefix("${{parent.") {
                let parts = binding.strip_suffix("}}").unwrap().split('.');
                found.push((step.clone(), parts.map(str::to_owned).collect()));
            } else {
                assert!(!text.contains("${{"), "{text}");
            }
        }
    }
    found
}

#[test]
fn whatever_builds_refers_to_what_there_is_and_waits_for_no_step_twice() {
    let mut built = 0;
    let mut cycles = 0;
    let counts = std::cell::RefCell::new((&mut built, &mut cycles));
    let mut runner =
        TestRunner::new(Config { cases: 1500, failure_persistence: None, ..Config::default() });
    runner
        .run(&acts(), |acts| {
            let (result, waits) = build(&acts);
            let job = match result {
                Ok(job) => job,
                Err(error) => {
                    let is_cycle = error.to_string().contains("wait for each other");
                    prop_assert!(!is_cycle || !can_be_ordered(&waits), "{error}");
                    *counts.borrow_mut().1 += u32::from(is_cycle);
                    return Ok(());
                }
            };
            *counts.borrow_mut().0 += 1;
            prop_assert!(can_be_ordered(&waits));
            let body = job.body(&workspace());
            let properties = &body["properties"];
            let mut used: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
            let mut sent_waits = Vec::new();
            for (step, binding) in bindings(&body) {
                match binding.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                    ["inputs", name] => {
                        prop_assert!(properties["inputs"].get(name).is_some(), "{name}");
                        used.entry("inputs").or_default().insert(name.to_owned());
                    }
                    ["outputs", name] => {
                        prop_assert!(properties["outputs"].get(name).is_some(), "{name}");
                        let is_new = used.entry("outputs").or_default().insert(name.to_owned());
                        prop_assert!(is_new, "{name} comes from two steps");
                    }
                    ["jobs", other, "outputs", name] => {
                        let output = &properties["jobs"][other]["outputs"][name];
                        prop_assert!(output.is_object(), "{other} {name}");
                        sent_waits.push((step, other.to_owned()));
                    }
                    ref other => prop_assert!(false, "{other:?}"),
                }
            }
            prop_assert!(can_be_ordered(&sent_waits));
            for key in ["inputs", "outputs"] {
                let there: BTreeSet<String> =
                    properties[key].as_object().unwrap().keys().cloned().collect();
                prop_assert_eq!(used.remove(key).unwrap_or_default(), there, "{}", key);
            }
            Ok(())
        })
        .unwrap();
    // Of about 400 and 30.
    assert!(built > 50 && cycles > 2, "{built} built, {cycles} cycles: the test says too little");
}
