package conformance

import "slices"

// As returns the request that a client sends in a step.
func (s *Step) As(client string) *Request {
	for _, o := range s.Others {
		if o.Client == client {
			return o.Request
		}
	}
	return s.Request
}

// Record puts what a client was seen to send in a step into the case. The first
// client to be recorded sends the step's request, the others have one of their
// own where they send something else.
func (c *Case) Record(step *Step, client string, request *Request) {
	if !slices.Contains(c.Recorded, client) {
		c.Recorded = append(c.Recorded, client)
	}
	if step.Request == nil { // a draft
		step.Request = request
		return
	}
	all := make([]*Request, len(c.Recorded))
	for i, recorded := range c.Recorded {
		if all[i] = step.As(recorded); recorded == client {
			all[i] = request
		}
	}
	step.Request, step.Others = all[0], nil
	for i, r := range all[1:] {
		if FormatRequest(r) != FormatRequest(step.Request) {
			step.Others = append(step.Others, ClientRequest{c.Recorded[i+1], r})
		}
	}
}

// Variants returns the cases, and each once more for every client that sends
// some of its requests otherwise, with these; the client stands in the name.
func Variants(cases []*Case) []*Case {
	var all []*Case
	for _, c := range cases {
		all = append(all, c)
		for _, client := range c.Recorded {
			if v := c.as(client); v != nil {
				all = append(all, v)
			}
		}
	}
	return all
}

// as returns the case with a client's own requests, or nil if it has none.
func (c *Case) as(client string) *Case {
	v := *c
	v.Name += " as " + client
	v.Steps = nil
	own := false
	for _, step := range c.Steps {
		s := *step
		s.Request, s.Others = step.As(client), nil
		own = own || s.Request != step.Request
		v.Steps = append(v.Steps, &s)
	}
	if !own {
		return nil
	}
	return &v
}
