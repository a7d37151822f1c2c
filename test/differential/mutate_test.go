package differential

import (
	"slices"
	"strings"
)

// mutations change a document. Some keep its meaning (reorder, respell, split),
// the others widen or narrow it; swapping the sides evens that out.
var mutations = []func(generator, *document){
	generator.reorder, generator.respell, generator.splitList,
	generator.addStatement, generator.addDeny, generator.dropStatement, generator.dropDeny,
	generator.changeList, generator.changeList, generator.changePrincipal,
	generator.addCondition, generator.dropCondition, generator.changeCondition, generator.changeCondition,
	generator.changeOperator, generator.changeValues, generator.changeValues, generator.flipNot,
}

// closeMutations leave most of a statement as it is.
var closeMutations = []func(generator, *document){
	generator.changeValues, generator.changeValues, generator.changeOperator, generator.swapOperator, generator.swapOperator,
	generator.changeList, generator.changePrincipal,
}

// mutate applies one mutation; a document keeps at least one statement.
func (g generator) mutate(d *document) {
	mutations[g.IntN(len(mutations))](g, d)
	if len(d.statements) == 0 {
		d.statements = append(d.statements, g.statement())
	}
}

// one is one of the document's statements.
func (g generator) one(d *document) *statement { return &d.statements[g.IntN(len(d.statements))] }

func (g generator) reorder(d *document) {
	g.Shuffle(len(d.statements), func(i, j int) { d.statements[i], d.statements[j] = d.statements[j], d.statements[i] })
}

// respell changes letters and spellings that mean nothing.
func (g generator) respell(d *document) {
	s := g.one(d)
	s.sid = g.pick("", "a", "c")
	for name, list := range s.lists {
		if strings.HasSuffix(name, "Action") {
			for i := range list {
				list[i] = strings.ToUpper(list[i])
			}
		}
		slices.Reverse(list)
	}
	for _, typed := range s.principals {
		for i, name := range typed["AWS"] {
			if accountID.MatchString(name) {
				typed["AWS"][i] = "arn:aws:iam::" + name + ":root"
			}
		}
	}
	for i, c := range s.conditions {
		s.conditions[i].key = strings.ToUpper(c.key[:1]) + c.key[1:]
		if c.operator == "ArnLike" {
			s.conditions[i].operator = "ArnEquals"
		}
	}
}

// splitList makes one statement of each value of a list: the same meaning,
// except for the complements, which it leaves alone.
func (g generator) splitList(d *document) {
	i := g.IntN(len(d.statements))
	name := g.pick("Action", "Resource")
	list := d.statements[i].lists[name]
	if len(list) < 2 {
		return
	}
	first, second := d.statements[i].clone(), d.statements[i].clone()
	first.lists[name], second.lists[name] = list[:1], list[1:]
	d.statements = append(slices.Delete(d.statements, i, i+1), first, second)
}

func (g generator) addStatement(d *document) { d.statements = append(d.statements, g.statement()) }

func (g generator) addDeny(d *document) {
	s := g.one(d).clone()
	if g.chance(50) {
		s = g.statement()
	}
	s.effect = "Deny"
	d.statements = append(d.statements, s)
	if g.chance(60) {
		g.changeList(d)
	}
}

func (g generator) dropStatement(d *document) {
	i := g.IntN(len(d.statements))
	d.statements = slices.Delete(d.statements, i, i+1)
}

func (g generator) dropDeny(d *document) {
	for i, s := range d.statements {
		if s.effect == "Deny" {
			d.statements = slices.Delete(d.statements, i, i+1)
			return
		}
	}
}

// changeList adds, drops or replaces an action or a resource.
func (g generator) changeList(d *document) {
	s := g.one(d)
	for _, name := range sortedKeys(s.lists) {
		if g.chance(50) {
			continue
		}
		pool := g.resources()
		if strings.HasSuffix(name, "Action") {
			pool = g.actions()
		}
		s.lists[name] = g.changed(s.lists[name], pool)
	}
}

// changed is the list with one value added, dropped or replaced.
func (g generator) changed(list, pool []string) []string {
	list = slices.Clone(list)
	i := g.IntN(len(list))
	switch {
	case len(pool) == 0:
		return list
	case g.chance(35):
		return distinct(append(list, g.pick(pool...)))
	case len(list) > 1 && g.chance(50):
		return slices.Delete(list, i, i+1)
	}
	list[i] = g.pick(pool...)
	return distinct(list)
}

func (g generator) changePrincipal(d *document) {
	s := g.one(d)
	for _, name := range sortedKeys(s.principals) {
		other := g.principals(name)
		kind := sortedKeys(other)[g.IntN(len(other))]
		if g.chance(50) && name == "Principal" {
			s.principals[name][kind] = distinct(append(s.principals[name][kind], other[kind]...))
			continue
		}
		s.principals[name] = other
	}
}

func (g generator) addCondition(d *document) {
	s := g.one(d)
	s.conditions = append(s.conditions, g.condition())
}

func (g generator) dropCondition(d *document) {
	if s := g.one(d); len(s.conditions) > 0 {
		i := g.IntN(len(s.conditions))
		s.conditions = slices.Delete(s.conditions, i, i+1)
	}
}

// subjectOf is what is generated for a key.
func subjectOf(key string) (subject, bool) {
	for _, s := range subjects {
		if strings.EqualFold(s.key, key) {
			return s, true
		}
	}
	return subject{}, false
}

// changeCondition puts another condition on the same key.
func (g generator) changeCondition(d *document) {
	if s := g.one(d); len(s.conditions) > 0 {
		i := g.IntN(len(s.conditions))
		if subject, ok := subjectOf(s.conditions[i].key); ok {
			s.conditions[i] = g.conditionOn(subject)
		}
	}
}

// changeOperator negates the operator, or adds or drops IfExists.
func (g generator) changeOperator(d *document) {
	s := g.one(d)
	if len(s.conditions) == 0 {
		return
	}
	c := &s.conditions[g.IntN(len(s.conditions))]
	opposite := strings.NewReplacer(
		"StringNot", "String", "String", "StringNot", "ArnNot", "Arn", "Arn", "ArnNot", "NotIp", "Ip", "Ip", "NotIp",
		"LessThan", "GreaterThan", "GreaterThan", "LessThan", "ForAnyValue:", "ForAllValues:", "ForAllValues:", "ForAnyValue:")
	switch base, found := strings.CutSuffix(c.operator, "IfExists"); {
	case c.operator == "Null":
		c.values = []string{g.pick("true", "false")}
	case found && g.chance(60):
		c.operator = base
	case g.chance(40):
		c.operator = base + "IfExists"
	default:
		c.operator = opposite.Replace(c.operator)
	}
}

// swapOperator takes another operator for the same values.
func (g generator) swapOperator(d *document) {
	s := g.one(d)
	if len(s.conditions) == 0 {
		return
	}
	c := &s.conditions[g.IntN(len(s.conditions))]
	o, err := readOperator(c.operator)
	subject, ok := subjectOf(c.key)
	if err != nil || !ok || o.base == "null" || o.base == "binaryequals" {
		return
	}
	base := baseOf(c.operator)
	other := g.pick(plain[subject.family]...)
	if !strings.HasSuffix(other, "IgnoreCase") || !strings.Contains(strings.Join(c.values, ""), "${") {
		c.operator = strings.Replace(c.operator, base, other, 1)
	}
}

// baseOf is the operator without its set and IfExists.
func baseOf(operator string) string {
	return strings.TrimSuffix(operator[strings.IndexByte(operator, ':')+1:], "IfExists")
}

// changeValues adds, drops or replaces a value of a condition.
func (g generator) changeValues(d *document) {
	s := g.one(d)
	if len(s.conditions) == 0 {
		return
	}
	c := &s.conditions[g.IntN(len(s.conditions))]
	o, err := readOperator(c.operator)
	subject, ok := subjectOf(c.key)
	if err != nil || !ok || o.base == "null" {
		return
	}
	c.values = g.changed(c.values, subject.valuesFor(baseOf(c.operator)))
}

// flipNot turns an element into its complement.
func (g generator) flipNot(d *document) {
	s := g.one(d)
	name := g.pick("Action", "Resource")
	if list, ok := s.lists[name]; ok {
		delete(s.lists, name)
		s.lists["Not"+name] = list
	} else if list, ok := s.lists["Not"+name]; ok {
		delete(s.lists, "Not"+name)
		s.lists[name] = list
	}
}
