"""Laws that roles keep, and small worlds with known answers: for tests of your own roles, too.

    from jaxcurriculum.testing import laws
    from jaxcurriculum.testing.trials import EnvironmentTrial, TeacherTrial

    trial = EnvironmentTrial(my_environment())  # compiled once for all its laws
    laws.keeps_its_contract(trial)
    laws.the_same_level_replays_the_same_episode(trial)
    laws.mapped_equals_single(trial)
    laws.step_never_resets(trial)
    laws.no_axis_is_ignored(trial)

    trial = TeacherTrial(my_teacher(space), space)
    laws.tasks_stay_in_the_space(trial)
    laws.invalid_slots_change_nothing(trial)

`laws` has the others, `probes` the worlds.
"""
